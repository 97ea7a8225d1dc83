"""From a model's name or folder to a pipeline that paints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from acetate.errors import BadRequest, ModelDamaged, ModelMissing
from acetate.models.catalog import Entry
from acetate.models.families import FAMILIES
from acetate.models.folder_kinds import family_painted
from acetate.models.shipped import EMBEDDED, EMBEDDED_FOLDER
from acetate.pipelines.family import ModelFiles, loader_of
from acetate.pipelines.quick_start import without_collecting

if TYPE_CHECKING:
    from acetate.pipelines.pipeline import Pipeline


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
def load_folder(
    folder: Path, device: str = "auto", *, model: str = "", entry: Entry | None = None
) -> Pipeline:
    """Load the model in a folder with a `model_index.json`; `model` is the id it goes by.

    `entry` is what the list of models knows of it, if it is listed.
    """
    from acetate.models.devices import pick_device
    from acetate.models.files import read_config
    from acetate.pipelines.transparency_weights import beside

    target = pick_device(device)
    if not folder.is_dir():
        raise ModelMissing(f"There is no model at {folder}.")
    kind = str(read_config(folder / "model_index.json").get("_class_name"))
    family = family_painted(kind)
    if not family:
        raise ModelDamaged(
            f"The model in {folder} is of a kind that Acetate does not know: {kind}."
        )
    return _ready(
        loader_of(family).load(
            ModelFiles(folder, model or folder.name, target, beside(folder), entry)
        )
    )


def _ready(pipeline: Pipeline) -> Pipeline:
    """The same, kept as a recipe asks for and its denoiser made faster, where that is wanted."""
    from acetate.pipelines.acceleration import accelerate

    pipeline.reduce_as_asked()
    pipeline.compiled = accelerate(pipeline.denoiser, pipeline.device)
    return pipeline


def _load_entry(entry: Entry, device: str) -> Pipeline:
    """A model of the catalog from the shared cache, or a base of one's own with its files."""
    from acetate.model_import.imported_files import own_file_of
    from acetate.models.devices import pick_device
    from acetate.models.hub_cache import located
    from acetate.pipelines.base_sources import place_of

    place = place_of(entry)
    if entry.family not in FAMILIES:
        raise BadRequest(f"This version of Acetate cannot paint with “{entry.id}” yet.")
    loader = loader_of(entry.family)
    if loader.whole:
        return load_folder(place, device, model=entry.id, entry=entry)
    files = {Path(part.file.name).stem: part.file for part in entry.parts}

    def locate(id_: str) -> Path | None:
        path = located(files[id_]) if id_ in files else None
        return path if path is None or path.suffix == ".safetensors" else own_file_of(path)

    pipeline = loader.load(ModelFiles(place, entry.id, pick_device(device), locate, entry))
    pipeline.preset = entry.scheduler
    return _ready(pipeline)
