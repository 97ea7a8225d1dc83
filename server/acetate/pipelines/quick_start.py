"""Starting sooner: what is imported and loaded is kept, so nobody need look for garbage in it."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def without_collecting() -> Generator[None]:
    """Put off garbage collection: it takes an eighth of the time that torch and diffusers need."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
