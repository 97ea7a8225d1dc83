"""A process of ours does not outlive the one that started it, whatever becomes of either.

Every one reads a pipe from its parent and ends when that does. One that is stopped, or deep in a
kernel, cannot read; on Linux the system ends it then.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int, platform: str = sys.platform) -> None:
    """Let the system end this process as soon as `parent`, its parent, has ended; 0: unknown."""
    if platform != "linux" or not parent:
        return
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)  # It was faster.
