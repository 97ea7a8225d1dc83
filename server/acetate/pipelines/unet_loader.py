"""Bases of Stable Diffusion 1.5 and SDXL: seen to paint before they are taken over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from acetate.errors import AcetateError
from acetate.models.base_facts import BaseFacts
from acetate.models.base_inventory import PARTS, Inventory, check_entry
from acetate.models.component_files import loose_weight_files
from acetate.models.families import families_taken_over
from acetate.models.few_steps import FEW_STEPS, GUIDED_LCM, preset_told_by, preset_told_by_folder
from acetate.models.files import read_config
from acetate.models.foreign_models import foreign_words
from acetate.models.identify import Shapes, recognise_denoiser, shapes_in
from acetate.models.recognition_error import NotRecognised
from acetate.models.supplies import named_supplies, nothing_to_take, said, supplies_here
from acetate.models.training_facts import check_scheduler
from acetate.pipelines.base_sources import open_base
from acetate.pipelines.family import Candidate, FamilyLoader
from acetate.pipelines.network_loading import META
from acetate.pipelines.rehearsal import rehearse


class UnetLoader(FamilyLoader):
    """A folder or a checkpoint, with parts of other bases where it lacks some."""

    family: ClassVar[str]

    def examine_folder(self, folder: Candidate) -> tuple[BaseFacts, list[Path]]:
        """See `FamilyLoader.examine_folder`."""
        place, family = folder.place, self.family
        kind = str(read_config(place / "model_index.json").get("_class_name"))
        if not (place / "unet").is_dir():
            raise NotRecognised(
                f"{place} holds a {kind}, which Acetate cannot paint with: "
                f"it needs {families_taken_over()}."
            )
        weights = loose_weight_files(place / "unet")
        shapes = {key: shape for path in weights for key, shape in shapes_in(path).items()}
        if words := foreign_words({}, _widths(shapes)):
            raise NotRecognised(f"{folder.name} is {words}.")
        families = recognise_denoiser(shapes, folder.name)
        if family not in families:
            raise NotRecognised(
                f"{place} says that it is {family}, but its denoiser is of {' or '.join(families)}."
            )
        entry = shapes.get("conv_in.weight", (0, 4))[1]
        check_entry(entry, family, folder.name)
        scheduler = read_config(place / "scheduler" / "scheduler_config.json")
        if not folder.wishes.prediction:
            check_scheduler(scheduler, folder.name)
        preset = preset_told_by(folder.came_as) or preset_told_by_folder(kind, scheduler)
        preset = preset or _told_by_origin(place)
        if read_config(place / "unet" / "config.json").get("time_cond_proj_dim"):
            preset = GUIDED_LCM
        found = BaseFacts(0, preset, dict(folder.wishes.facts), {}, entry == 9)
        named = named_supplies(folder.wishes, family)
        lacking = tuple(
            part
            for part in PARTS[family]
            if part not in named and not (place / _FOLDERS.get(part, part)).is_dir()
        )
        choices = _choices(lacking, named, family, folder.name)
        return _rehearsed(place, family, folder.name, found, choices), weights

    def examine_file(self, file: Candidate, inventory: Inventory) -> BaseFacts:
        """See `FamilyLoader.examine_file`."""
        named = named_supplies(file.wishes, self.family)
        lacking = tuple(part for part in inventory.lacking if part not in named)
        choices = _choices(lacking, named, self.family, file.name)
        return _rehearsed(file.place, self.family, file.name, file.found, choices)


_FOLDERS = {"autoencoder": "vae"}


def _told_by_origin(folder: Path) -> str:
    """The preset by what it was called where diffusers once read what it saved here."""
    origin = read_config(folder / "model_index.json").get("_name_or_path")
    return preset_told_by(origin.rpartition("/")[2]) if isinstance(origin, str) else ""


def _widths(shapes: Shapes) -> set[int]:
    """Of the words that a denoiser under diffusers' names reads."""
    return {shape[1] for name, shape in shapes.items() if name.endswith("attn2.to_k.weight")}


def _rehearsed(
    place: Path, family: str, name: str, found: BaseFacts, choices: Iterator[dict[str, str]]
) -> BaseFacts:
    """The facts of a base that can paint with the first of these supplies that fits.

    Raises the last reason why not.
    """
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
        steps, guidance = FEW_STEPS[found.preset]
        yield (
            f"It was distilled ({found.preset}): it is painted in {steps} "
            f"step{'s' if steps > 1 else ''} at a guidance of {guidance:g}."
        )
    if found.facts.get("prediction_type") == "v_prediction":
        yield "It predicts velocity."
    if found.fills:
        yield "It was trained to fill holes; from words alone it paints less well than others."


def _choices(
    lacking: tuple[str, ...], named: dict[str, str], family: str, name: str
) -> Iterator[dict[str, str]]:
    """Ways to have the parts: those that are named, and what is lacking from what is here."""
    if not lacking:
        yield named
        return
    any_here = False
    for supplies in supplies_here(lacking, family):
        any_here = True
        yield named | supplies
    if not any_here:
        raise nothing_to_take(name, lacking, family)
