"""Servers of other machines that this one was paired with: their certificates and tokens.

Kept like a private key, in a folder of its own below that of the settings.
"""

from __future__ import annotations

import contextlib
import json
import os
import ssl
from collections.abc import Generator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from acetate_bridge.client.file_locks import held
from acetate_bridge.client.paths import config_folder
from acetate_bridge.client.private_folders import make_private, read_private, write_private
from acetate_bridge.protocol.json_text import read_json
from acetate_bridge.protocol.serialization import Mismatch, from_plain

SHARE_PORT = 7861
"""Where a server that is shared listens, unless told otherwise."""
_FILE, _LOCK = "servers.json", "servers.lock"
_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME: the certificate is pinned, and clocks are wrong at times."""


@dataclass(frozen=True)
class SharedServer:
    """`certificate` (PEM) is the only one that is accepted there."""

    certificate: str
    token: str = field(repr=False)


def remember(place: str, server: SharedServer) -> None:
    """Keep a server by its `host:port`. Raises OSError.

    A file that cannot be read as a whole is set aside: what it holds may be mended by hand.
    """
    file = make_private(_folder()) / _FILE
    with _alone_in(file.parent):
        known = known_servers()
        if not known and os.path.lexists(file):
            os.replace(file, file.with_name(f"{_FILE}.old"))
        _write(file, {**known, place: server})


def forget(place: str) -> bool:
    """Trust a server no longer; False when it is not known. Raises OSError."""
    if place not in known_servers():
        return False
    file = make_private(_folder()) / _FILE
    with _alone_in(file.parent):
        known = known_servers()
        if known.pop(place, None) is None:
            return False
        _write(file, known)
    return True


def known_servers() -> dict[str, SharedServer]:
    """All that are kept, but those whose entry is damaged.

    None where the file is missing, damaged as a whole, or open to others.
    """
    try:
        found: Any = read_json(read_private(_folder() / _FILE))
    except (OSError, ValueError):
        return {}
    known: dict[str, SharedServer] = {}
    entries = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    for place, each in entries.items():
        with contextlib.suppress(Mismatch):
            known[place] = from_plain(SharedServer, each, allow_unknown=True)
    return known


def pinned(certificate: str) -> ssl.SSLContext:
    """Accepts the server with this certificate (PEM) and its key, and no other one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # It is known by its certificate, whatever its address is called today.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags = ssl.VerifyFlags(context.verify_flags | _NO_CHECK_TIME)
    context.load_verify_locations(cadata=certificate)
    return context


@contextlib.contextmanager
def _alone_in(folder: Path) -> Generator[None]:
    """No other program of this user changes what was read; where there are no locks, without."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            stack.enter_context(held(folder / _LOCK))
        yield


def _write(file: Path, servers: dict[str, SharedServer]) -> None:
    write_private(
        file, json.dumps({name: asdict(each) for name, each in servers.items()}, indent=1)
    )


def _folder() -> Path:
    return config_folder() / "shared-servers"
