"""How much memory a process has, as the system counts it."""

from __future__ import annotations

import psutil


def memory_of(pid: int) -> int:
    """Resident bytes of a process; 0 when it has ended."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
