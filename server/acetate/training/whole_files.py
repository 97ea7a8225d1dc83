"""Files that are whole or not there."""

from __future__ import annotations

import contextlib
import glob
import os
import re
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError

from acetate.errors import CannotWrite
from acetate_bridge.client.discovery import process_lives

_SYSTEM = re.compile(r"I/O error: (.+?) \(os error \d+\)")
"""How safetensors passes on what the system said."""

GO_ON = "Make room there or take another folder, and run the same command again."
"""The cure for most that cannot be written: what is whole is kept and gone on from."""


def half_of(file: Path) -> Path:
    """Where this process alone gathers what shall become `file`; what killed ones left is deleted.

    A training runs in several processes, and large files are left by those that are killed.
    """
    for other in file.parent.glob(f"{glob.escape(file.name)}.*.half"):
        number = other.suffixes[-2].removeprefix(".")
        if number.isdecimal() and not process_lives(int(number)):
            with contextlib.suppress(OSError):
                other.unlink()
    return file.with_name(f"{file.name}.{os.getpid()}.half")


def written_whole(file: Path, write: Callable[[Path], None]) -> Path:
    """Let `write` fill a file beside, and give it its name when it is whole. Raises CannotWrite."""
    part = half_of(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        part.replace(file)
    except (OSError, RuntimeError, SafetensorError) as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise CannotWrite(f"Cannot write {file}: {reason_of(error)}.", GO_ON) from error
    return file


def reason_of(error: BaseException) -> str:
    """Why something could not be written, to go on after a colon."""
    found: BaseException | None = error
    while found is not None:
        # What torch says of a full disk is about itself; what the system said came before.
        if isinstance(found, OSError) and found.strerror:
            return found.strerror.lower()
        found = found.__cause__ or found.__context__
    if match := _SYSTEM.search(str(error)):
        return match[1].lower()
    return str(error).lower().rstrip(".")


def text_written_whole(file: Path, text: str) -> Path:
    """The same with a text, in UTF-8. Raises CannotWrite."""
    return written_whole(file, lambda part: _write_text(part, text))


def _write_text(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
