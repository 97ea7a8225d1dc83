"""All models that can be named: those of the catalog, and bases that a person imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from acetate.models.base_facts import EDITS
from acetate.models.catalog import Entry, Part, catalog, entry_named
from acetate.models.families import FAMILIES, SPLIT
from acetate.models.few_steps import preset_told_by
from acetate.models.hub_cache import locate, missing_base
from acetate.models.own_register import Own, own_file, own_files, own_folder
from acetate.models.rgba_adapter import ADAPTER


def models() -> dict[str, Entry]:
    """All models by their id, in the order of the catalog and then of their import."""
    files = own_files()
    own = [_entry(own) for own in files if own.role == "base"]
    own += [_upscaler(own) for own in files if own.role == UPSCALER]
    known = catalog() | {entry.id: entry for entry in own if entry is not None}
    known = {id_: _with_gaps(entry, known) for id_, entry in known.items()}
    if not any(own.role == "matting" for own in files):
        return known
    return {id_: _splitting(entry) for id_, entry in known.items()}


def model_named(model: str) -> Entry:
    """The model of that id. Raises BadRequest."""
    return models().get(model) or entry_named(model)


def _entry(own: Own) -> Entry | None:
    family = own.families[0]
    row = FAMILIES.get(family)
    if row is None or not row.imported or not (row.whole_files or _has_all_parts(own)):
        return None  # Taken over by an earlier version, which said yes to what it could not use.
    official = _official(own, family)
    on_hub = own.form == "hub"
    return Entry(
        id=own.name.removesuffix(".safetensors"),
        name=own.name.removesuffix(".safetensors"),
        family=family,
        modes=_modes(own, official),
        licence=str(own.facts.get("licence") or official.licence),
        memory=official.memory,
        native=own.native,
        networks=official.networks,
        base=own.source if on_hub else "",
        base_files=official.base_files if on_hub else (),
        parts=() if ADAPTER in own.facts else (*official.parts, *_light_parts(own)),
        scheduler=own.preset
        or (preset_told_by(own.name) if row.told_by_name else official.scheduler),
        place=None if on_hub else _place(own),
        facts=own.facts,
        supplied=tuple(own.supplied.items()),
        fills=own.fills,
    )


def _upscaler(own: Own) -> Entry:
    id_ = own.name.removesuffix(".safetensors")
    return Entry(
        id=id_,
        name=id_,
        family=UPSCALER,
        modes=FAMILIES[UPSCALER].modes,
        licence="that of its file",
        memory=1,
        native=UPSCALER_NATIVE,
        place=_place(own),
        facts=own.facts,
    )


def _with_gaps(entry: Entry, known: Mapping[str, Entry], depth: int = 0) -> Entry:
    """With the names of what it takes its parts from and that has been removed since."""
    gone: list[str] = []
    for source in dict.fromkeys(source for _, source in entry.supplied):
        kind, _, name = source.partition(":")
        if kind == "file":
            here = own_file(name) is not None
        else:
            supplier = known.get(name)
            # What supplies is a model before what is supplied: a longer chain goes in a circle.
            here = (
                supplier is not None
                and depth < len(known)
                and not missing_base(_with_gaps(supplier, known, depth + 1))
            )
        if not here:
            gone.append(name.removesuffix(".safetensors"))
    return replace(entry, lacking=tuple(gone)) if gone else entry


def _splitting(entry: Entry) -> Entry:
    """With a matting network here, whatever fills can split a picture into layers."""
    if "fill" not in entry.modes or SPLIT in entry.modes:
        return entry
    return replace(entry, modes=(*entry.modes, SPLIT))


def _has_all_parts(own: Own) -> bool:
    return own.form != "file" or bool(own.supplied)


def _light_parts(own: Own) -> tuple[Part, ...]:
    """IC-Light's file, which fits any base of the family, where it is here."""
    if own.families[0] != "sd15" or own.fills or locate(_LIGHT) is None:
        return ()
    return tuple(part for part in catalog()["sd15-light"].parts if part.file.id == _LIGHT)


_LIGHT = "iclight_sd15_fbc"
UPSCALER = "upscaler"
"""A role of imported files, and the family that they make models of."""
UPSCALER_NATIVE = 512
"""Side of a square that a frame is planned by where a mode has none of its own, in pixels."""


def _modes(own: Own, official: Entry) -> tuple[str, ...]:
    """What a base can do: one that fills holes has no entry to spare for conditions in stages."""
    if ADAPTER in own.facts:
        looks = official.family in _LOOKING or EDITS in own.facts
        return FAMILIES[official.family].modes if looks else _UNCONDITIONED
    if not own.fills:
        return (*official.modes, "harmonize") if _light_parts(own) else official.modes
    staged = official.family == "sdxl"
    return tuple(mode for mode in official.modes if not staged or mode in _UNCONDITIONED)


_UNCONDITIONED = ("text", "refine", "fill")
_LOOKING = ("flux2",)
"""Families that look at pictures, too, and so do more with an RGBA adapter."""


def _official(own: Own, family: str) -> Entry:
    """The model of the catalog that a base is like."""
    known = catalog()
    edits = own.facts.get(EDITS)
    alike = (each for each in known.values() if each.family == family)
    return next((each for each in alike if each.facts.get(EDITS) == edits), known[family])


def _place(own: Own) -> Path:
    return Path(own.source) if own.form == "folder" else own_folder() / own.name
