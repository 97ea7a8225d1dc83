"""Where weights lie: the cache of the Hugging Face hub, which other programs share.

Nothing here touches the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from acetate.errors import AcetateError
from acetate.models.catalog import Entry, WeightFile, catalog
from acetate.models.component_files import weight_files
from acetate.models.hashing import file_hash
from acetate.models.own_register import own_file
from acetate.models.shipped import EMBEDDED, EMBEDDED_FOLDER

FileState = Literal["good", "missing", "damaged", "unknown"]


@dataclass(frozen=True)
class Checked:
    """What a look at a file on the disk has shown; "unknown" has no published hash, or was
    converted from the published form."""

    file: WeightFile
    state: FileState


def cache_folder() -> Path:
    """The folder of the hub cache, whether it exists yet or not."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def located_file(repository: str, name: str, revision: str | None = None) -> Path | None:
    """A file in the shared cache, if it is there."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, name, revision=revision)
    return Path(found) if isinstance(found, str) else None


def located(file: WeightFile) -> Path | None:
    """A file of the catalog: imported under its published name, or in the shared cache."""
    stems = (Path(file.name).stem, *file.also)
    names = (file.name, *(f"{stem}.safetensors" for stem in stems))
    own = next((path for name in names if (path := own_file(name)) is not None), None)
    return own or located_file(file.repository, file.name, file.revision)


def locate(file_id: str) -> Path | None:
    """A file of the catalog by its id, if it is here."""
    for entry in catalog().values():
        for part in entry.parts:
            if part.file.id == file_id:
                return located(part.file)
    return None


def base_folder(base: str, revision: str | None = None) -> Path | None:
    """The folder of a base model (a diffusers repository) in the shared cache, if it is there."""
    index = located_file(base, "model_index.json", revision)
    return None if index is None else index.parent


def folder_of_base(entry: Entry) -> Path | None:
    """Where all that a model needs of its base lies in the shared cache; None unless it is whole.

    The revision that the catalog names comes first, then whatever another program has fetched.
    """
    if not entry.base_licence:  # One of a person's own, rehearsed when it was taken over.
        return base_folder(entry.base)
    for revision in dict.fromkeys((entry.revision, None)):
        folder = base_folder(entry.base, revision)
        if folder is not None and _is_whole(folder, entry.base_files):
            return folder
    return None


def _is_whole(folder: Path, patterns: tuple[str, ...]) -> bool:
    """Whether the weights of every network are there, in any precision, and all other files."""
    weighty = {pattern.partition("/")[0] for pattern in patterns if "/" in pattern} & NETWORKS
    try:
        for network in weighty:
            weight_files(folder / network)
    except AcetateError:
        return False
    plain = (pattern for pattern in patterns if not pattern.endswith(".safetensors"))
    return all(next(folder.glob(pattern), None) is not None for pattern in plain)


NETWORKS = {"unet", "transformer", "vae", "text_encoder", "text_encoder_2"}
"""Folders of a base that hold weights."""


def missing_base(entry: Entry) -> str:
    """What of a model's base lacks here; empty where nothing does."""
    if entry.id == EMBEDDED:
        return "" if (EMBEDDED_FOLDER / "model_index.json").is_file() else str(EMBEDDED_FOLDER)
    own = ""
    if entry.place is not None:
        own = "" if entry.place.exists() else str(entry.place)
    elif entry.base and folder_of_base(entry) is None:
        own = entry.base
    return own or next(iter(entry.lacking), "")


def missing_parts(entry: Entry, modes: tuple[str, ...] | None = None) -> list[str]:
    """Names of the files and the base that these modes of a model (default: all) lack here."""
    missing = [file.name for file in entry.files_for(modes or entry.modes) if not located(file)]
    base = missing_base(entry)
    return [base, *missing] if base else missing


def missing_bytes(entry: Entry) -> int:
    """About how much has to be fetched for a model; 0 where that is unknown."""
    base = entry.base_size if missing_base(entry) else 0.0
    if missing_base(entry) and not base:
        return 0
    lacking = sum(part.file.size for part in entry.parts if not located(part.file))
    return round((base + lacking) * 1e6)


def remove(entry: Entry) -> int:
    """Delete the transparency files of a model that no other one here needs; returns their bytes.

    The base stays: other programs share it.
    """
    others = {
        part.file.id
        for other in catalog().values()
        if other.id != entry.id and not missing_parts(other)
        for part in other.parts
    }
    freed = 0
    for part in entry.parts:
        file = part.file
        path = located_file(file.repository, file.name, file.revision)
        if path is not None and file.id not in others:
            freed += path.stat().st_size
            delete_cached(path)
    return freed


def delete_cached(path: Path) -> None:
    """Delete a file of the hub cache with the blob that it points to."""
    blob = path.resolve()
    path.unlink()
    if blob != path:
        blob.unlink(missing_ok=True)


def verify(entry: Entry) -> list[Checked]:
    """Read every transparency file of the model and compare its hash with the published one."""
    return [_checked(part.file) for part in entry.parts]


def _checked(file: WeightFile) -> Checked:
    path = located(file)
    if path is None:
        return Checked(file, "missing")
    if not file.sha256 or path.suffix != Path(file.name).suffix or path.stem in file.also:
        return Checked(file, "unknown")
    return Checked(file, "good" if file_hash(path) == file.sha256 else "damaged")
