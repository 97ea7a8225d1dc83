"""Which server to talk to, and what it wants to see."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from acetate_bridge.client.discovery import Runtime, find_runtime
from acetate_bridge.client.shared_servers import SHARE_PORT, SharedServer, known_servers
from acetate_bridge.protocol.errors import AcetateError

LONGEST_TOKEN = 1000
_NO_HOST = re.compile(r"[\\\s/<>\"'|^`{}\x00-\x1f\x7f]")
"""What stands in no name and no address of a host."""
_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


class BadAddress(AcetateError, ValueError):
    """Not the address of a server."""

    code = "bad_address"


@dataclass(frozen=True)
class Where:
    """Where a client shall look for its server: without an address for that of this machine.

    `token_file` is read anew for each connection, as a server that starts again may renew it.
    """

    address: str | None = None
    token: str | None = None
    token_file: str = ""

    def find(self) -> Target | None:
        """The server as it can be reached now, or None. Raises BadAddress."""
        return find_target(self.address, self.token or self._token_of_file())

    def _token_of_file(self) -> str | None:
        if not self.token_file:
            return None
        try:
            with open(Path(self.token_file).expanduser(), encoding="utf-8") as file:
                text = file.read(LONGEST_TOKEN + 1).strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise BadAddress(
                f"The token file {self.token_file} cannot be read: {reason}"
            ) from error
        if not text or len(text) > LONGEST_TOKEN or not text.isascii() or not text.isprintable():
            raise BadAddress(f"The file {self.token_file} holds no token on one line")
        return text


@dataclass(frozen=True)
class Target:
    """Address of a session and its token; `certificate` (PEM) is the only one it may show."""

    url: str
    token: str = field(repr=False)
    local: bool = True
    certificate: str = field(default="", repr=False)


def find_target(address: str | None, token: str | None) -> Target | None:
    """The server at an address, or the one that left a runtime file; None when there is none.

    One that this machine was paired with (see `pairing`) is known by its certificate. Else
    a missing part is taken from the runtime file: the token of a local server need not be given,
    in whichever way this machine is spelled. Raises BadAddress.
    """
    runtime = find_runtime()
    if address is None:
        if runtime is None:
            return None
        return Target(session_of(runtime), token or runtime.token)
    url, local = session_url(address)
    if shared := _shared(address):
        there = f"wss://{written(*place_of(address, SHARE_PORT))}/v1/session"
        return Target(there, token or shared.token, local, shared.certificate)
    if local and runtime is not None and _port(address) in (None, runtime.port):
        # The same server, which may not listen under every name of this machine.
        return Target(session_of(runtime), token or runtime.token)
    return Target(url, token or "", local)


def session_url(address: str) -> tuple[str, bool]:
    """WebSocket URL of `host:port`, `http://…` or `https://…`, and whether it is this machine.

    What a browser shows behind the host, such as `/` and `#`, does not matter.
    """
    parts = _split(address)
    host = parts.hostname or ""
    name = f"[{host}]" if ":" in host else host
    place = name if parts.port is None else f"{name}:{parts.port}"
    return f"{_SCHEMES[parts.scheme]}://{place}/v1/session", is_this_machine(host)


def place_of(address: str, port: int) -> tuple[str, int]:
    """Host and port of an address; `port` where it names none. Raises BadAddress."""
    parts = _split(address)
    return (parts.hostname or "").rstrip("."), parts.port or port


def written(host: str, port: int) -> str:
    """Host and port as a URL writes them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _shared(address: str) -> SharedServer | None:
    """The server of another machine at this address, if this one was paired with it."""
    return known_servers().get(written(*place_of(address, SHARE_PORT)))


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine: a loopback address, the one for any, or its own name."""
    name = host.lower().rstrip(".")
    if name in ("localhost", "localhost.localdomain") or name.endswith(".localhost"):
        return True
    if name == socket.gethostname().lower():
        return True
    try:
        found = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return _is_short_loopback(name)
    mapped = getattr(found, "ipv4_mapped", None) or found
    return bool(mapped.is_loopback or mapped.is_unspecified)


def _is_short_loopback(name: str) -> bool:
    """127.1 is 127.0.0.1 to every resolver."""
    if not name or name.strip("0123456789."):
        return False
    try:
        return socket.inet_aton(name)[:1] == b"\x7f"
    except OSError:
        return False


def session_of(runtime: Runtime) -> str:
    """The session of a server that left word of itself."""
    return f"ws://{runtime.address}/v1/session"


def _port(address: str) -> int | None:
    return _split(address).port


def _split(address: str) -> SplitResult:
    bare = address.strip()
    if bare.count(":") > 1 and "[" not in bare and "://" not in bare:
        bare = f"[{bare}]"  # An IPv6 address on its own, such as ::1.
    text = bare if "://" in bare else f"http://{bare}"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BadAddress(f"{address!r} is not an address such as 127.0.0.1:7860") from error
    odd = parts.username is not None or parts.query or not host or _NO_HOST.search(host)
    if odd or parts.scheme not in _SCHEMES:
        raise BadAddress(f"{address!r} is not an address such as 127.0.0.1:7860")
    return parts
