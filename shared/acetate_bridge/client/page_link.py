"""The address that opens the local page signed in, asked of the running server."""

from __future__ import annotations

from acetate_bridge.client.discovery import Runtime
from acetate_bridge.client.server_request import NoAnswer as NoPageLink
from acetate_bridge.client.server_request import ask_server

__all__ = ["NoPageLink", "page_link"]

_PATH = "/v1/links"


def page_link(runtime: Runtime) -> str:
    """An address that is good for one use within a minute. Blocks; raises NoPageLink."""
    status, found = ask_server(runtime, "POST", _PATH)
    path = found.get("path")
    if status != 201 or not isinstance(path, str) or not path.startswith("/"):
        raise NoPageLink("The server has no page that opens signed in: it may be an older one.")
    return f"http://{runtime.address}{path}"
