"""Where weights lie: the cache of the Hugging Face hub, which other programs share.

Nothing here touches the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from acetate.models.catalog import Entry, WeightFile
from acetate.models.hashing import file_hash
from acetate.models.loading import EMBEDDED, EMBEDDED_FOLDER

FileState = Literal["good", "missing", "damaged", "unknown"]


@dataclass(frozen=True)
class Checked:
    """What a look at a file on the disk has shown; "unknown" has no published hash."""

    file: WeightFile
    state: FileState


def located(file: WeightFile) -> Path | None:
    """The file in the shared cache, if it is there."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(file.repository, file.name, revision=file.revision)
    return Path(found) if isinstance(found, str) else None


def base_folder(base: str) -> Path | None:
    """The folder of a base model (a diffusers repository) in the shared cache, if it is there."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(base, "model_index.json")
    return Path(found).parent if isinstance(found, str) else None


def missing_parts(entry: Entry, modes: tuple[str, ...] | None = None) -> list[str]:
    """Names of the files and the base that these modes of a model (default: all) lack here."""
    if entry.id == EMBEDDED:
        return [] if (EMBEDDED_FOLDER / "model_index.json").is_file() else [str(EMBEDDED_FOLDER)]
    missing = [file.name for file in entry.files_for(modes or entry.modes) if not located(file)]
    if base_folder(entry.base) is None:
        missing.insert(0, entry.base)
    return missing


def verify(entry: Entry) -> list[Checked]:
    """Read every transparency file of the model and compare its hash with the published one."""
    return [_checked(part.file) for part in entry.parts]


def _checked(file: WeightFile) -> Checked:
    path = located(file)
    if path is None:
        return Checked(file, "missing")
    if not file.sha256:
        return Checked(file, "unknown")
    return Checked(file, "good" if file_hash(path) == file.sha256 else "damaged")
