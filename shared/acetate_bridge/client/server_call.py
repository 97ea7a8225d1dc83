"""What is asked of a server beside the session: where its page opens, and what it has."""

from __future__ import annotations

from urllib.parse import urlsplit

from acetate_bridge.client.address import Target
from acetate_bridge.client.server_request import NoAnswer, ask_target
from acetate_bridge.protocol.serialization import Mismatch, from_plain
from acetate_bridge.protocol.setup import Setup

_LINKS, _SETUP = "/v1/links", "/v1/setup"
_LOOK_SECONDS = 30.0
"""The driver's tool takes its time to name the card."""


def page_address(target: Target) -> str:
    """Where the local page opens signed in: good for one use within a minute.

    Blocks; raises NoAnswer.
    """
    status, found = ask_target(target, "POST", _LINKS)
    path = found.get("path")
    if status != 201 or not isinstance(path, str) or not path.startswith("/"):
        raise NoAnswer("The server has no page that opens signed in: it may be an older one.")
    parts = urlsplit(target.url)
    return f"{'https' if parts.scheme == 'wss' else 'http'}://{parts.netloc}{path}"


def setup_of(target: Target) -> Setup:
    """What is in place on the server's machine. Blocks; raises NoAnswer."""
    status, found = ask_target(target, "GET", _SETUP, _LOOK_SECONDS)
    try:
        if status == 200:
            return from_plain(Setup, found, allow_unknown=True)
    except Mismatch:
        pass
    raise NoAnswer("The server tells nothing of its set-up: it may be an older one.")
