"""All models that can be named: those of the catalog, and bases that a person imported."""

from __future__ import annotations

from pathlib import Path

from acetate.models.catalog import Entry, catalog, entry_named
from acetate.models.families import preset_told_by
from acetate.models.imported_files import Own, own_files, own_folder

_OFFICIAL = {"sd15": "sd15", "sdxl": "sdxl", "flux": "flux"}
"""The model of the catalog whose transparency files fit any base of a family."""


def models() -> dict[str, Entry]:
    """All models by their id, in the order of the catalog and then of their import."""
    own = [_entry(own) for own in own_files() if own.role == "base"]
    return catalog() | {entry.id: entry for entry in own if entry is not None}


def model_named(model: str) -> Entry:
    """The model of that id. Raises BadRequest."""
    return models().get(model) or entry_named(model)


def _entry(own: Own) -> Entry | None:
    family = own.families[0]
    if family not in _OFFICIAL or (family == "flux" and own.form == "file"):
        return None
    official = catalog()[_OFFICIAL[family]]
    on_hub = own.form == "hub"
    return Entry(
        id=own.name.removesuffix(".safetensors"),
        name=own.name.removesuffix(".safetensors"),
        family=family,
        modes=official.modes,
        licence=official.licence,
        memory=official.memory,
        native=own.native,
        base=own.source if on_hub else "",
        base_files=official.base_files if on_hub else (),
        parts=official.parts,
        scheduler="" if family == "flux" else preset_told_by(own.name),
        place=None if on_hub else _place(own),
    )


def _place(own: Own) -> Path:
    return Path(own.source) if own.form == "folder" else own_folder() / own.name
