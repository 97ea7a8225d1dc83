"""Files that are whole or not there."""

from __future__ import annotations

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
        part.unlink(missing_ok=True)
        reason = (getattr(error, "strerror", None) or str(error)).lower().rstrip(".")
        raise CannotWrite(f"Cannot write {file}: {reason}.") from error
    return file
