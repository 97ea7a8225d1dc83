"""Where settings are kept, and how a file of them is read and replaced as a whole."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path

SETTINGS_BYTES = 16 * 2**20
"""More than any file of settings, and little enough to be read."""


def config_folder(
    platform: str = sys.platform, environment: Mapping[str, str] = os.environ
) -> Path:
    """Where programs keep their settings on this system; ACETATE_CONFIG_DIR names another one."""
    if chosen := environment.get("ACETATE_CONFIG_DIR"):
        return Path(chosen)
    home = Path(environment.get("HOME") or environment.get("USERPROFILE") or Path.home())
    if platform == "win32":
        return Path(environment.get("APPDATA") or home / "AppData" / "Roaming") / "acetate"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "acetate"
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "acetate"


def read_bounded(path: Path, most: int = SETTINGS_BYTES) -> str:
    """The text of a file of at most so many bytes. Raises OSError, ValueError.

    A pipe or a device that lies there is not read: it would have no end, or never begin.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is no file", str(path))
        with open(handle, "rb", closefd=False) as file:
            data = file.read(most + 1)
    finally:
        os.close(handle)
    if len(data) > most:
        raise OSError(errno.EFBIG, "it is too long", str(path))
    return data.decode("utf-8")


def beside(path: Path) -> Path:
    """Where to gather what shall become `path`: a name that no other writer has.

    The process does not tell two threads apart, nor two sandboxes that count theirs anew.
    """
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}")


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader finds the old text or the new one. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside(path)
    try:
        with open(temporary, "x", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
