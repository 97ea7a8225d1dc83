"""Taking over a base: its parts, its kind and its training, and a rehearsal before the yes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acetate.errors import AcetateError
from acetate.models.base_inventory import PARTS, Inventory, take_inventory
from acetate.models.few_steps import GUIDED_LCM, preset_told_by, preset_told_by_header
from acetate.models.identify import header_of, shapes_in
from acetate.models.recognition_error import NotRecognised
from acetate.models.supplies import (
    Wishes,
    named_supplies,
    nothing_to_take,
    said,
    supplies_here,
)
from acetate.models.training_facts import facts_of_checkpoint


@dataclass(frozen=True)
class BaseFacts:
    """What the list of imported files keeps of a base; see `Own`."""

    native: int
    preset: str = ""
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    supplied: dict[str, str] = field(default_factory=dict[str, str])
    fills: bool = False
    notes: tuple[str, ...] = ()


def examine_checkpoint(path: Path, family: str, name: str, wishes: Wishes, told: Path) -> BaseFacts:
    """Look at a base in one file; `told` is the file that the person named, beside which a
    configuration may lie.

    Raises NotRecognised, CannotImport or ModelDamaged with what stands in the way of painting.
    """
    shapes, header = shapes_in(path), header_of(path)
    inventory = take_inventory(shapes, family, name)
    facts, notes = facts_of_checkpoint(told, shapes, header)
    if wishes.prediction:
        facts, notes = facts | wishes.facts, []
    preset = preset_told_by_header(header) or preset_told_by(told.stem)
    if any(key.endswith("time_embed.cond_proj.weight") for key in shapes):
        preset = GUIDED_LCM
    named = named_supplies(wishes, family)
    if family == "flux":
        return _examine_flux(path, inventory, name, named, shapes)
    found = BaseFacts(0, preset, facts, {}, inventory.fills, tuple(notes))
    return rehearsed(path, family, name, found, _choices(inventory, named, name))


def rehearsed(
    place: Path, family: str, name: str, found: BaseFacts, choices: Iterator[dict[str, str]]
) -> BaseFacts:
    """The facts of a base that can paint with the first of these supplies that fits.

    Raises the last reason why not.
    """
    from acetate.pipelines.base_sources import open_base
    from acetate.pipelines.network_loading import META
    from acetate.pipelines.rehearsal import rehearse

    failed: AcetateError | None = None
    for supplied in choices:
        try:
            base = open_base(place, family, found.facts, supplied, META)
            presets = [found.preset] if found.preset else []
            native = rehearse(base, family, name, presets)
        except AcetateError as error:
            failed = failed or error
            continue
        notes = (*found.notes, *([said(supplied)] if supplied else []), *_about(found))
        return BaseFacts(native, found.preset, found.facts, supplied, found.fills, notes)
    assert failed is not None
    # Whatever is wrong with what is to be taken over is said as a refusal.
    raise NotRecognised(failed.message, failed.hint) from failed


def _about(found: BaseFacts) -> Iterator[str]:
    if found.preset:
        from acetate.models.few_steps import FEW_STEPS

        steps, guidance = FEW_STEPS[found.preset]
        yield (
            f"It was distilled ({found.preset}): it is painted in {steps} "
            f"step{'s' if steps > 1 else ''} at a guidance of {guidance:g}."
        )
    if found.facts.get("prediction_type") == "v_prediction":
        yield "It predicts velocity."
    if found.fills:
        yield "It was trained to fill holes; from words alone it paints less well than others."


def _choices(inventory: Inventory, named: dict[str, str], name: str) -> Iterator[dict[str, str]]:
    lacking = tuple(part for part in inventory.lacking if part not in named)
    if not lacking:
        yield named
        return
    any_here = False
    for supplies in supplies_here(lacking, inventory.family):
        any_here = True
        yield named | supplies
    if not any_here:
        raise nothing_to_take(name, lacking, inventory.family)


def _examine_flux(
    path: Path,
    inventory: Inventory,
    name: str,
    named: dict[str, str],
    shapes: dict[str, tuple[int, ...]],
) -> BaseFacts:
    """Flux in one file: its denoiser is taken, all else is that of a Flux folder that is here."""
    from acetate.pipelines.flux.single_file import rehearse_flux

    folders = [named] if named else list(supplies_here(("text_encoder_2",), "flux"))
    if not folders:
        raise NotRecognised(
            f"{name} is a Flux in one file, which needs a Flux folder of diffusers beside it for "
            "its text encoders, tokenizers and autoencoder, and none is here.",
            "Fetch one with `acetate models pull flux`, or import a folder.",
        )
    source = next(iter(folders[0].values()))
    native = rehearse_flux(path, source, name)
    preset = "" if any("guidance_in." in key for key in shapes) else "schnell"
    supplied = dict.fromkeys(PARTS["flux"], source)
    return BaseFacts(native, preset, {}, supplied, False, (said(supplied),))
