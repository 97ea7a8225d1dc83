"""One server per folder: a lock that the system lets go of however the process ends."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Generator
from pathlib import Path

from acetate_bridge.client.discovery import UnsafeFolder

_NO_FILE = {errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.ENOTDIR}
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


class AlreadyLocked(Exception):
    """Another process holds the lock."""


@contextlib.contextmanager
def hold(path: Path, platform: str = sys.platform) -> Generator[None]:
    """Hold the lock file for the block; raises AlreadyLocked at once when another has it.

    Raises UnsafeFolder for what cannot be a lock.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError as error:
        if error.errno in _NO_FILE:
            raise UnsafeFolder(f"{path} is no file to lock: remove it") from error
        raise
    try:
        try:
            if platform == "win32":
                _lock_on_windows(handle)
            else:
                _lock_on_posix(handle)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                raise UnsafeFolder(
                    f"The disk of {path} keeps no locks: name a folder on another disk"
                ) from error
            raise AlreadyLocked(str(path)) from error
        yield
    finally:
        os.close(handle)


def _lock_on_posix(handle: int) -> None:
    import fcntl

    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lock_on_windows(handle: int) -> None:
    import msvcrt

    msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
