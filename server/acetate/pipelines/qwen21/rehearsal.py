"""Whether the parts of a folder of Qwen-Image-2.1 fit each other, found out without its numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from acetate.errors import AcetateError
from acetate.models.component_files import weight_files
from acetate.models.files import read_config
from acetate.models.recognition_error import NotRecognised
from acetate.pipelines.language_rehearsal import rehearse_language_model
from acetate.pipelines.network_loading import META, filled, read_tensors
from acetate.pipelines.qwen21.components import NETWORKS, Components
from acetate.pipelines.rehearsal import unfit


def rehearse_folder(folder: Path, name: str) -> None:
    """Raises NotRecognised with what does not fit."""
    with torch.inference_mode():
        try:
            _rehearse(folder, name)
        except AcetateError as error:
            raise NotRecognised(error.message, error.hint) from error
        except Exception as error:  # Whatever painting would have met.
            words = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise unfit(name, f"its parts do not fit each other ({words[:160]})") from error


def _rehearse(folder: Path, name: str) -> None:
    components = Components(folder)
    transformer, vae = (_on_meta(folder / part, NETWORKS[part]) for part in ("transformer", "vae"))
    if not vae["in_channels"] == vae["out_channels"] == 4:
        raise unfit(name, "its autoencoder knows no transparency")
    if not transformer["in_channels"] == transformer["out_channels"] == vae["z_dim"]:
        raise unfit(name, "its denoiser and its autoencoder are of different families")
    encoder = read_config(folder / "text_encoder" / "config.json")
    rehearse_language_model(folder / "text_encoder", encoder["text_config"], name)
    if encoder["text_config"]["hidden_size"] != transformer["context_in_dim"]:
        raise unfit(name, "its denoiser was made for another text encoder")
    words = components.tokenizer()
    if words("<|image_pad|>")["input_ids"] != [encoder["image_token_id"]]:
        raise unfit(name, "its tokenizer does not know the mark for a picture")
    if components.scheduler_config().get("_class_name") != "FlowMatchEulerDiscreteScheduler":
        raise unfit(name, "its scheduler is not one of flow matching")


def _on_meta(folder: Path, kind: Any) -> Any:
    config = read_config(folder / "config.json")
    state = read_tensors(weight_files(folder), META)
    return filled(
        lambda: kind(**kind.extract_init_dict(config)[0]), state, torch.float32, META
    ).config
