"""Small files of a person that several commands change: one after another, and nothing is lost."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import time
from collections.abc import Generator
from pathlib import Path

from platformdirs import user_cache_path

from acetate_bridge.editing.job_file import lock_file

log = logging.getLogger("acetate.models")

_PATIENCE = 30.0
"""Seconds after which another's lock counts as one that nobody will let go of."""

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@contextlib.contextmanager
def alone_with(file: Path) -> Generator[None]:
    """While this stands, no other command changes the file after it was read.

    The lock lies in the cache, not beside the file. Where no locks can be had, all goes on without.
    """
    with contextlib.ExitStack() as held:
        try:
            name = hashlib.sha256(str(file.absolute()).encode()).hexdigest()[:16]
            place = user_cache_path("acetate") / "locks" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            lock = held.enter_context(os.fdopen(os.open(place, _FLAGS, 0o600), "r+b", buffering=0))
            until = time.monotonic() + _PATIENCE
            while not lock_file(lock) and time.monotonic() < until:
                time.sleep(0.01)
        except OSError as error:
            log.debug("%s is changed without a lock: %s", file, error)
        yield
