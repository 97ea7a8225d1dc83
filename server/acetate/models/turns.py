"""Small files of a person that several commands change: one after another, and nothing is lost."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Generator
from pathlib import Path

from platformdirs import user_cache_path

from acetate_bridge.client.file_locks import held

log = logging.getLogger("acetate.models")


@contextlib.contextmanager
def alone_with(file: Path) -> Generator[None]:
    """While this stands, no other command changes the file after it was read.

    The lock lies in the cache, not beside the file. Where no locks can be had, all goes on without.
    """
    with contextlib.ExitStack() as stack:
        try:
            name = hashlib.sha256(str(file.absolute()).encode()).hexdigest()[:16]
            place = user_cache_path("acetate") / "locks" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(held(place))
        except OSError as error:
            log.debug("%s is changed without a lock: %s", file, error)
        yield
