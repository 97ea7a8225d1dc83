"""Telling a full disk or a held store from other trouble; a little room for the bad news."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import stat
from pathlib import Path

_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_RESERVE_BYTES = 512 * 1024


def is_full(error: BaseException) -> bool:
    """Whether the error means that there is no room (disk, quota or file size)."""
    if isinstance(error, OSError):
        return error.errno in _FULL or getattr(error, "winerror", None) in (39, 112)
    return "disk is full" in str(error)


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another program holds the database."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class Reserve:
    """A file of ballast: thrown off when the disk is full, so that the store can still write.

    Without it the database could not even note that a job has failed.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "reserve"

    def fill(self) -> None:
        """Take the room, when there is any."""
        try:
            found = os.lstat(self._path)
            if stat.S_ISREG(found.st_mode) and found.st_size >= _RESERVE_BYTES:
                return
        except OSError:
            pass
        self.release()
        try:
            # Nothing is written through what somebody has put there.
            with open(self._path, "xb") as file:
                file.write(os.urandom(_RESERVE_BYTES))
        except OSError:
            self.release()

    def release(self) -> None:
        """Give the room back."""
        with contextlib.suppress(OSError):
            self._path.unlink()
