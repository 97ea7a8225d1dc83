"""From a model's name or folder to a pipeline that paints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from acetate.errors import BadRequest, ModelDamaged, ModelMissing
from acetate.models.catalog import Entry
from acetate.models.folder_kinds import family_of_folder
from acetate.models.shipped import EMBEDDED, EMBEDDED_FOLDER
from acetate.pipelines.quick_start import without_collecting

if TYPE_CHECKING:
    import torch

    from acetate.pipelines.flux_components import FluxBase
    from acetate.pipelines.pipeline import Pipeline
    from acetate.pipelines.transparency_weights import Locate


@without_collecting()
def load_pipeline(model: str = EMBEDDED, device: str = "auto") -> Pipeline:
    """Load a model by its id onto a device ("auto" takes the best one).

    An id is never a path: it names a model of the catalog or an imported base. Raises BadRequest
    for an unknown id, ModelMissing or ModelDamaged naming the file that is at fault, and
    DeviceMissing.
    """
    from acetate.models.registry import model_named

    entry = model_named(model)
    if entry.family != EMBEDDED:
        return _load_entry(entry, device)
    return load_folder(EMBEDDED_FOLDER, device, model=EMBEDDED)


@without_collecting()
def load_folder(folder: Path, device: str = "auto", *, model: str = "") -> Pipeline:
    """Load the model in a folder with a `model_index.json`; `model` is the id it goes by."""
    from acetate.models.devices import pick_device
    from acetate.models.files import read_config

    target = pick_device(device)
    if not folder.is_dir():
        raise ModelMissing(f"There is no model at {folder}.")
    kind = read_config(folder / "model_index.json").get("_class_name")
    if kind == "AcetateEmbedded":
        from acetate.pipelines.embedded import EmbeddedPipeline

        return EmbeddedPipeline.from_folder(folder, target, model or folder.name)
    if kind == _LAYERED:
        from acetate.pipelines.qwen_layered import LayeredPipeline

        return LayeredPipeline.from_folder(folder, target, model or folder.name)
    family = family_of_folder(str(kind))
    if family == "qwen21":
        from acetate.pipelines.qwen21.pipeline import Qwen21Pipeline

        return Qwen21Pipeline.from_folder(folder, target, model or folder.name)
    if family:
        from acetate.pipelines.transparency_weights import beside

        return _load_base(family, folder, target, model or folder.name, beside(folder))
    raise ModelDamaged(f"The model in {folder} is of a kind that Acetate does not know: {kind}.")


_LAYERED = "QwenImageLayeredPipeline"
_WHOLE = ("layered", "qwen21")
"""Families that are one folder, without files for transparency."""
_OFFICIAL = ("sd15", "sdxl", "flux")


def _load_entry(entry: Entry, device: str) -> Pipeline:
    """A model of the catalog from the shared cache, or a base of one's own with its files."""
    from acetate.model_import.imported_files import own_file_of
    from acetate.models.devices import pick_device
    from acetate.models.hub_cache import located
    from acetate.pipelines.base_sources import place_of

    place = place_of(entry)
    if entry.family in _WHOLE:
        return load_folder(place, device, model=entry.id)
    if entry.family not in _OFFICIAL:
        raise BadRequest(f"This version of Acetate cannot paint with “{entry.id}” yet.")
    files = {Path(part.file.name).stem: part.file for part in entry.parts}

    def locate(id_: str) -> Path | None:
        path = located(files[id_]) if id_ in files else None
        return path if path is None or path.suffix == ".safetensors" else own_file_of(path)

    pipeline = _load_base(
        entry.family,
        place,
        pick_device(device),
        entry.id,
        locate,
        entry=entry,
        convolution=any(id_.endswith("_transparent_conv") for id_ in files),
    )
    pipeline.preset = entry.scheduler
    return pipeline


def _load_base(
    family: str,
    place: Path,
    device: torch.device,
    model: str,
    locate: Locate,
    *,
    entry: Entry | None = None,
    convolution: bool = False,
) -> Pipeline:
    supplied = dict(entry.supplied) if entry else {}
    if family == "flux":
        from acetate.pipelines.flux import FluxPipeline

        return FluxPipeline.from_base(_flux(place, supplied), device, model, locate)
    from acetate.pipelines.base_sources import open_base

    base = open_base(place, family, entry.facts if entry else None, supplied)
    if family == "sd15":
        from acetate.pipelines.sd15 import Sd15Pipeline

        return Sd15Pipeline.from_base(base, device, model, locate)
    from acetate.pipelines.sdxl import SdxlPipeline

    variant = "convolution" if convolution else "attention"
    return SdxlPipeline.from_base(base, device, model, locate, variant)


def _flux(place: Path, supplied: dict[str, str]) -> FluxBase:
    if place.is_dir():
        from acetate.pipelines.flux_components import FluxBase

        return FluxBase(place)
    from acetate.models.registry import model_named
    from acetate.pipelines.base_sources import place_of
    from acetate.pipelines.flux_single_file import FluxFile

    source = next(iter(supplied.values()), "")
    return FluxFile(place, place_of(model_named(source.partition(":")[2])))
