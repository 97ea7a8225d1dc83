"""Where the server is: the runtime file that it leaves, and the folders that both sides know.

The runtime file holds the token, so it is readable by its owner alone and lies in a folder that
only the owner can enter. Set ACETATE_RUNTIME_DIR or ACETATE_DATA_DIR to use other folders.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from acetate_bridge.client.private_folders import (
    UnsafeFolder,
    is_foreign,
    make_data_folder,
    make_private,
    make_runtime_folder,
    read_private,
    write_private,
)
from acetate_bridge.client.sandbox import places_outside, sandbox_of
from acetate_bridge.protocol.json_text import read_json
from acetate_bridge.protocol.serialization import Mismatch, from_plain

__all__ = [
    "INSTALLATION_FILE",
    "LOCK_FILE",
    "RUNTIME_FILE",
    "RUNTIME_NAMES",
    "Runtime",
    "UnsafeFolder",
    "data_folder",
    "find_runtime",
    "log_file",
    "make_data_folder",
    "make_private",
    "make_runtime_folder",
    "process_lives",
    "read_runtime",
    "remove_runtime",
    "runtime_folder",
    "write_private",
    "write_runtime",
]

RUNTIME_FILE = "server.json"
LOCK_FILE = "server.lock"
RUNTIME_NAMES = frozenset({RUNTIME_FILE, LOCK_FILE})
"""All that lies in the runtime folder."""
INSTALLATION_FILE = "installation.json"
_LARGEST_PROCESS = 2**31 - 1


@dataclass(frozen=True)
class Runtime:
    """A running server: process, address, token and protocol."""

    pid: int
    host: str
    port: int
    token: str
    protocol: int
    version: str = ""

    def __repr__(self) -> str:
        return f"Runtime(pid={self.pid}, host={self.host!r}, port={self.port})"

    @property
    def address(self) -> str:
        """Host and port as a URL writes them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def runtime_folder(
    platform: str = sys.platform, environment: Mapping[str, str] = os.environ
) -> Path:
    """Where the runtime file lies, per system; gone after a restart of the machine on most.

    Windows: `%LOCALAPPDATA%\\Temp\\acetate`; macOS: `~/Library/Caches/TemporaryItems/acetate`;
    elsewhere `$XDG_RUNTIME_DIR/acetate`, `/run/user/UID/acetate` or, without those, a folder in
    the home: never the temporary folder, where anybody may have been before.
    """
    if chosen := environment.get("ACETATE_RUNTIME_DIR"):
        return Path(chosen)
    if platform == "win32":
        return _windows_local(environment) / "Temp" / "acetate"
    if platform == "darwin":
        return _home(environment) / "Library" / "Caches" / "TemporaryItems" / "acetate"
    chosen = environment.get("XDG_RUNTIME_DIR")
    # After `su` it may still be that of the user before.
    if chosen and not is_foreign(Path(chosen)):
        return Path(chosen) / "acetate"
    user = os.getuid() if hasattr(os, "getuid") else 0
    system = Path(f"/run/user/{user}")
    if system.is_dir() and not is_foreign(system) and os.access(system, os.W_OK):
        return system / "acetate"
    cache = environment.get("XDG_CACHE_HOME") or _home(environment) / ".cache"
    return Path(cache) / "acetate" / "run"


def data_folder(platform: str = sys.platform, environment: Mapping[str, str] = os.environ) -> Path:
    """Where jobs, results, logs and models are kept, per system."""
    if chosen := environment.get("ACETATE_DATA_DIR"):
        return Path(chosen)
    if platform == "win32":
        return _windows_local(environment) / "acetate"
    if platform == "darwin":
        return _home(environment) / "Library" / "Application Support" / "acetate"
    if chosen := environment.get("XDG_DATA_HOME"):
        return Path(chosen) / "acetate"
    return _home(environment) / ".local" / "share" / "acetate"


def log_file() -> Path:
    """What a server that was started in the background writes."""
    return data_folder() / "logs" / "server.log"


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("HOME") or Path.home())


def _windows_local(environment: Mapping[str, str]) -> Path:
    if chosen := environment.get("LOCALAPPDATA"):
        return Path(chosen)
    return Path(environment.get("USERPROFILE") or Path.home()) / "AppData" / "Local"


def write_runtime(runtime: Runtime, folder: Path | None = None) -> Path:
    """Leave word of a running server; returns the file. Raises OSError."""
    path = make_runtime_folder(folder or runtime_folder(), RUNTIME_NAMES) / RUNTIME_FILE
    write_private(path, json.dumps(asdict(runtime)))
    return path


def read_runtime(folder: Path | None = None, any_process: bool = False) -> Runtime | None:
    """The server that left a runtime file and whose process lives; None otherwise.

    A file that another user could have written is none. `any_process` does not look for the
    process: from inside a sandbox it may be invisible.
    """
    path = (folder or runtime_folder()) / RUNTIME_FILE
    try:
        found: Any = read_json(read_private(path))
        runtime = from_plain(Runtime, found, allow_unknown=True)
    except (OSError, ValueError, Mismatch):
        return None
    if not 0 < runtime.port < 2**16:
        return None
    return runtime if any_process or process_lives(runtime.pid) else None


def find_runtime() -> Runtime | None:
    """The server of this machine, from outside of a sandbox or from within one.

    Its process is not looked for: from inside a sandbox it may be invisible.
    """
    if found := read_runtime(any_process=True):
        return found
    sandbox = None if os.environ.get("ACETATE_RUNTIME_DIR") else sandbox_of()
    for folder in places_outside(sandbox) if sandbox else ():
        if found := read_runtime(folder, any_process=True):
            return found
    return None


def remove_runtime(pid: int, folder: Path | None = None) -> None:
    """Take back the runtime file of this process, and nobody else's."""
    path = (folder or runtime_folder()) / RUNTIME_FILE
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        if read_json(read_private(path))["pid"] == pid:
            path.unlink()


def process_lives(pid: int, platform: str = sys.platform) -> bool:
    """Whether a process with this id exists (it may have been reused: the handshake tells)."""
    if not 0 < pid <= _LARGEST_PROCESS:
        return False
    if platform == "win32":
        return _process_lives_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _process_lives_on_windows(pid: int) -> bool:
    """Signal 0 would end the process there, so the process is opened and asked instead."""
    import ctypes

    query_limited_information, still_active = 0x1000, 259
    kernel: Any = getattr(ctypes, "WinDLL")("kernel32")  # noqa: B009 (exists on Windows alone)
    handle: Any = kernel.OpenProcess(query_limited_information, False, pid)
    if not handle:
        return False
    code = ctypes.c_ulong()
    alive: Any = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return bool(alive) and code.value == still_active
