"""Locks on files, which the system lets go of however a process ends."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import IO, Any

_PATIENCE = 30.0
"""Seconds after which another's lock counts as one that nobody will let go of."""
_AGAIN = 0.01
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def lock_file(file: IO[bytes], platform: str = sys.platform) -> bool:
    """Lock an open file for as long as it is open; False when somebody else has done so."""
    try:
        if platform == "win32":
            import msvcrt

            locking: Any = getattr(msvcrt, "locking")  # noqa: B009 (exists on Windows alone)
            locking(file.fileno(), getattr(msvcrt, "LK_NBLCK"), 1)  # noqa: B009
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    os.set_inheritable(file.fileno(), False)
    return True


@contextlib.contextmanager
def held(place: Path) -> Generator[None]:
    """Have the lock at this place, which others that ask wait for. Raises OSError.

    Whoever has waited for it for half a minute goes on without.
    """
    with os.fdopen(os.open(place, _FLAGS, 0o600), "r+b", buffering=0) as lock:
        until = time.monotonic() + _PATIENCE
        while not lock_file(lock) and time.monotonic() < until:
            time.sleep(_AGAIN)
        yield
