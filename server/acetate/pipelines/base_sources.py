"""From what a base is made of on the disk to an object that gives its components."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from acetate.errors import ModelMissing
from acetate.models.catalog import Entry
from acetate.models.hub_cache import folder_of_base
from acetate.models.own_register import own_file
from acetate.models.registry import model_named
from acetate.pipelines.diffusers_folder import Base, FolderBase
from acetate.pipelines.family import ModelFiles
from acetate.pipelines.single_file import CheckpointBase
from acetate.pipelines.supplied_base import PartFile, SuppliedBase

_CPU = torch.device("cpu")
_ENCODERS = {"sd15": ("",), "sdxl": ("", "_2")}


def open_base(
    place: Path,
    family: str,
    facts: Mapping[str, Any] | None = None,
    supplied: Mapping[str, str] | None = None,
    home: torch.device = _CPU,
) -> Base:
    """The base of an SD 1.5 or SDXL model; `home` is where a checkpoint's tensors are read to.

    `facts` and `supplied` are as in the list of imported files. Raises ModelMissing.
    """
    base: Base
    if place.is_dir():
        base = FolderBase(place, _ENCODERS[family])
    else:
        base = CheckpointBase(place, family, facts, home)
    if not supplied:
        return base
    parts = {part: supplier(source, family, home) for part, source in supplied.items()}
    return SuppliedBase(base, parts)


def open_files(files: ModelFiles, family: str) -> Base:
    """The base of a model of SD 1.5 or SDXL that is to be loaded. Raises ModelMissing."""
    entry = files.entry
    if entry is None:
        return open_base(files.place, family)
    return open_base(files.place, family, entry.facts, dict(entry.supplied))


def supplier(source: str, family: str, home: torch.device = _CPU) -> Base:
    """Where a part comes from: “file:NAME” of an imported one, or “model:ID”.

    Raises ModelMissing, BadRequest.
    """
    kind, _, name = source.partition(":")
    if kind == "file":
        path = own_file(name)
        if path is None:
            raise ModelMissing(f"The file {name}, which a base takes a part from, is missing.")
        return PartFile(path, family)
    entry = model_named(name)
    return open_base(place_of(entry), family, entry.facts, dict(entry.supplied), home)


def place_of(entry: Entry) -> Path:
    """Where the base of a model lies. Raises ModelMissing, also for what its parts come from."""
    if entry.lacking:
        raise ModelMissing(
            f"The model “{entry.id}” needs {' and '.join(entry.lacking)}, which is not here any "
            "more.",
            "Import or fetch it again under that name, or remove "
            f"{entry.id} and import it with another.",
        )
    place = entry.place or folder_of_base(entry)
    if place is None or not place.exists():
        raise ModelMissing(
            f"The base model {entry.base or place} is not here.",
            f"Fetch it with `acetate models pull {entry.id}`." if entry.base else "Put it back.",
        )
    return place
