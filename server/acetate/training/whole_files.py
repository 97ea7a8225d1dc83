"""Files that are whole or not there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError

from acetate.errors import CannotWrite


def written_whole(file: Path, write: Callable[[Path], None]) -> Path:
    """Let `write` fill a file beside, and give it its name when it is whole. Raises CannotWrite."""
    part = file.with_name(f"{file.name}.half")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        part.replace(file)
    except (OSError, RuntimeError, SafetensorError) as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise CannotWrite(f"Cannot write {file}: {reason_of(error)}.") from error
    return file


def reason_of(error: BaseException) -> str:
    """Why something could not be written, to go on after a colon."""
    return (getattr(error, "strerror", None) or str(error)).lower().rstrip(".")


def text_written_whole(file: Path, text: str) -> Path:
    """The same with a text, in UTF-8. Raises CannotWrite."""
    return written_whole(file, lambda part: _write_text(part, text))


def _write_text(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
