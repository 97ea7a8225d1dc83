"""One server per folder: a lock that the system lets go of however the process ends."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Generator
from pathlib import Path


class AlreadyLocked(Exception):
    """Another process holds the lock."""


@contextlib.contextmanager
def hold(path: Path, platform: str = sys.platform) -> Generator[None]:
    """Hold the lock file for the block; raises AlreadyLocked at once when another has it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        try:
            if platform == "win32":
                _lock_on_windows(handle)
            else:
                _lock_on_posix(handle)
        except OSError as error:
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
