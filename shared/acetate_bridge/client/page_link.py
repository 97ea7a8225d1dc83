"""The address that opens the local page signed in, asked of the server of this machine."""

from __future__ import annotations

from acetate_bridge.client.address import Target, session_of
from acetate_bridge.client.discovery import Runtime
from acetate_bridge.client.server_call import page_address
from acetate_bridge.client.server_request import NoAnswer as NoPageLink

__all__ = ["NoPageLink", "page_link"]


def page_link(runtime: Runtime) -> str:
    """An address that is good for one use within a minute. Blocks; raises NoPageLink."""
    return page_address(Target(session_of(runtime), runtime.token))
