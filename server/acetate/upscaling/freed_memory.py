"""Large blocks of memory that are freed and taken again at once stay with the process.

The C library of most Linuxes gives a freed block of many megabytes back to the system, and each
page of the next one costs a fault: between convolutions that was a quarter of an enlargement.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""glibc's numbers for `mallopt` (malloc.h)."""
BLOCK = 32 * 2**20
"""Bytes of the largest block that is kept; more the library does not take everywhere."""
KEPT = 256 * 2**20
"""Bytes that may lie idle at the end of the heap."""


@cache
def keep_freed_memory() -> bool:
    """Ask the C library for it, once in a process; False where it is another library."""
    if sys.platform != "linux":
        return False
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is None:
        return False
    return bool(set_option(_MMAP_THRESHOLD, BLOCK) and set_option(_TRIM_THRESHOLD, KEPT))
