"""The log of a server that an editor has started: kept short while the server runs.

The file is the standard output of the server and of its workers, so it cannot be exchanged under
them: what it holds is copied beside it, and the file begins anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import stat
import sys
from pathlib import Path

from acetate_bridge.client.discovery import log_file
from acetate_bridge.client.launcher import LOG_BYTES, older_log

log = logging.getLogger("acetate")

_LOOK_SECONDS = 60.0


class OwnLog:
    """Looks after `discovery.log_file()` where this process writes into it, else after nothing."""

    def __init__(self, descriptor: int = 2, most: int = LOG_BYTES) -> None:
        self._descriptor = descriptor
        self._most = most

    async def keep_short(self) -> None:
        """Look now and every minute, for ever."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(_LOOK_SECONDS)

    def look(self) -> bool:
        """Begin the file anew when it has grown too long; whether that was done. Blocks."""
        path = log_file()
        try:
            if not self._is_ours(path) or os.fstat(self._descriptor).st_size <= self._most:
                return False
            # Where there is no room for the copy, the older lines make room.
            with contextlib.suppress(OSError):
                _copy(path, older_log(path))
            os.ftruncate(self._descriptor, 0)
        except OSError as error:
            log.debug("the log cannot be shortened: %s", error)
            return False
        return True

    def _is_ours(self, path: Path) -> bool:
        """Whether it is the very file, and everybody who writes to it writes at its end."""
        if sys.platform == "win32":
            return False  # Nobody can shorten there what others have open.
        import fcntl

        here = os.fstat(self._descriptor)
        return (
            stat.S_ISREG(here.st_mode)
            and bool(fcntl.fcntl(self._descriptor, fcntl.F_GETFL) & os.O_APPEND)
            and os.path.samestat(here, path.lstat())
        )


def _copy(path: Path, target: Path) -> None:
    part = target.with_name(f"{target.name}.part")
    try:
        with open(path, "rb") as source, open(part, "wb") as copy:
            os.chmod(part, 0o600)
            shutil.copyfileobj(source, copy)
        os.replace(part, target)
    except OSError:
        part.unlink(missing_ok=True)
        raise
