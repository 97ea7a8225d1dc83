"""Which server to talk to, and what it wants to see."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from acetate_bridge.client.discovery import read_runtime


class BadAddress(ValueError):
    """Not the address of a server."""


@dataclass(frozen=True)
class Target:
    """Address of a session and its token."""

    url: str
    token: str = field(repr=False)
    local: bool = True


def find_target(address: str | None, token: str | None) -> Target | None:
    """The server at an address, or the one that left a runtime file; None when there is none.

    A missing part is taken from the runtime file: the token of a local server need not be given.
    Raises BadAddress.
    """
    runtime = read_runtime(any_process=True)
    if address is None:
        if runtime is None:
            return None
        return Target(f"ws://{runtime.address}/v1/session", token or runtime.token)
    url, local = session_url(address)
    if token is None and runtime is not None and url == f"ws://{runtime.address}/v1/session":
        token = runtime.token
    return Target(url, token or "", local)


def session_url(address: str) -> tuple[str, bool]:
    """WebSocket URL of `host:port`, `http://…` or `https://…`, and whether it is this machine."""
    text = address if "://" in address else f"http://{address}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadAddress(f"{address!r} is not an address") from error
    schemes = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
    if host is None or parts.scheme not in schemes or parts.username or parts.query:
        raise BadAddress(f"{address!r} is not an address such as 127.0.0.1:7860")
    name = f"[{host}]" if ":" in host else host
    place = name if port is None else f"{name}:{port}"
    return f"{schemes[parts.scheme]}://{place}/v1/session", _is_local(host)


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
