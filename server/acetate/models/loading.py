"""From a model's name or folder to a pipeline that paints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from acetate.errors import BadRequest, ModelDamaged, ModelMissing
from acetate.models.catalog import entry_named

if TYPE_CHECKING:
    from acetate.pipelines.pipeline import Pipeline

EMBEDDED = "embedded"
EMBEDDED_FOLDER = Path(__file__).parents[1] / "embedded" / "model"


def load_pipeline(model: str = EMBEDDED, device: str = "auto") -> Pipeline:
    """Load a model by its id onto a device ("auto" takes the best one).

    An id is never a path. Raises BadRequest for an unknown id, ModelMissing or ModelDamaged
    naming the file that is at fault, and DeviceMissing.
    """
    if entry_named(model).family != EMBEDDED:
        raise BadRequest(f"This version of Acetate cannot paint with “{model}” yet.")
    return load_folder(EMBEDDED_FOLDER, device, model=EMBEDDED)


def load_folder(folder: Path, device: str = "auto", *, model: str = "") -> Pipeline:
    """Load the model in a folder with a `model_index.json`; `model` is the id it goes by."""
    from acetate.models.devices import pick_device
    from acetate.models.weights import read_config

    target = pick_device(device)
    if not folder.is_dir():
        raise ModelMissing(f"There is no model at {folder}.")
    kind = read_config(folder / "model_index.json").get("_class_name")
    if kind == "AcetateEmbedded":
        from acetate.pipelines.embedded import EmbeddedPipeline

        return EmbeddedPipeline.from_folder(folder, target, model or folder.name)
    raise ModelDamaged(f"The model in {folder} is of a kind that Acetate does not know: {kind}.")
