"""Ctrl+C: one line and exit status 130, whatever is going on.

Raised as an exception it would be lost in an import, or end torch's own loading in an abort; so
the process leaves at once, unless what runs asked to be stopped politely.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

STOPPED = 130
"""Exit status of what was stopped by Ctrl+C (128 and the number of the signal)."""
WORDS = "Stopped."
_SHOW_CURSOR = "\r\x1b[K\x1b[?25h"

_polite = 0


class Stopped(Exception):
    """Ctrl+C was pressed, and what had to be wound up has been."""


@contextmanager
def heard_at_once() -> Generator[None]:
    """While this stands, Ctrl+C ends the process with one line and status 130."""
    try:
        before = signal.signal(signal.SIGINT, _stop)
    except ValueError:  # Not the main thread, which alone hears of signals.
        yield
        return
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)


@contextmanager
def heard_politely() -> Generator[None]:
    """While this stands, Ctrl+C is a KeyboardInterrupt: there is something to be wound up."""
    global _polite
    _polite += 1
    try:
        yield
    finally:
        _polite -= 1


def _stop(number: int, frame: FrameType | None) -> None:
    if _polite:
        signal.signal(signal.SIGINT, _leave)  # Who presses again does not want to wait.
        raise KeyboardInterrupt
    _leave(number, frame)


def _leave(number: int, frame: FrameType | None) -> None:
    files = sys.modules.get("acetate.images.part_files")
    if files is not None:
        files.remove_parts()
    try:
        clean = _SHOW_CURSOR if os.isatty(2) else ""
        os.write(2, f"{clean}{WORDS}\n".encode())
    except OSError:
        pass
    os._exit(STOPPED)
