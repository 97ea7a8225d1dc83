"""Files that are being written, so that whoever ends the process can take them away."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_parts: set[Path] = set()


def part_of(path: Path) -> Path:
    """Where this process gathers what shall become `path`."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


@contextmanager
def part_file(path: Path) -> Generator[Path]:
    """Where to gather what shall become `path`; gone afterwards, unless it was moved."""
    part = part_of(path)
    _parts.add(part)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)
        _parts.discard(part)


def remove_parts() -> None:
    """Take away all that is being written."""
    for part in list(_parts):
        with contextlib.suppress(OSError):
            part.unlink()
