"""Printing that never fails: on any code page, into closed pipes and onto full disks."""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
from typing import Literal, TextIO

from acetate_bridge.protocol.naming import printable

_PLAIN = {
    "×": "x", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "…": "...", "–": "-", "—": "-",
    "→": "->", "▸": ">", "é": "e", "\u00a0": " ",
}  # fmt: skip


def make_safe() -> None:
    """Let the standard streams take every sign, and stand open.

    A sign that the code page lacks becomes a plainer one, or a question mark. A stream that was
    closed is the null device, so that no file of ours gets its number.
    """
    codecs.register_error("acetate.plain", _plainer)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            setattr(sys, name, _null(number, "r" if number == 0 else "w"))
        elif number and hasattr(stream, "reconfigure"):
            with contextlib.suppress(OSError, ValueError):
                stream.reconfigure(errors="acetate.plain")  # type: ignore[attr-defined]


def say(sentence: str, stream: TextIO | None = None) -> None:
    """Print a line, whatever becomes of it: what was said of is done already.

    It may name what stands in a stranger's file, which is not to command the terminal.
    """
    output = stream or sys.stdout
    try:
        print(printable(sentence), file=output, flush=True)
    except (OSError, ValueError):
        give_up(output)


def flush() -> None:
    """Write out what was printed; nobody hears of it when nobody reads."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            give_up(stream)


def give_up(stream: TextIO) -> None:
    """Send what is still to come on a stream that broke nowhere."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def _null(number: int, mode: Literal["r", "w"]) -> TextIO:
    stream = open(os.devnull, mode)  # noqa: SIM115 (it stands for as long as the process)
    if stream.fileno() != number:
        with contextlib.suppress(OSError):
            os.dup2(stream.fileno(), number)
    return stream


def _plainer(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    plain = "".join(_PLAIN.get(sign, "?") for sign in error.object[error.start : error.end])
    return plain, error.end
