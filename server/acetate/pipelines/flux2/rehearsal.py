"""Whether the parts of a folder of FLUX.2 fit each other, found out without its numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from acetate.errors import AcetateError
from acetate.models.component_files import weight_files
from acetate.models.files import read_config
from acetate.models.recognition_error import NotRecognised
from acetate.pipelines.flux2.components import NETWORKS, Flux2Base
from acetate.pipelines.flux2.pipeline import HEARD
from acetate.pipelines.language_rehearsal import rehearse_language_model
from acetate.pipelines.network_loading import META, filled, read_tensors
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
    base = Flux2Base(folder)
    said = str(read_config(folder / "text_encoder" / "config.json").get("architectures"))
    if "Qwen3ForCausalLM" not in said:
        raise unfit(
            name,
            "its text encoder is not Qwen3: of FLUX.2, Acetate paints with the klein models only",
        )
    transformer, vae = (_on_meta(folder / part, NETWORKS[part]) for part in ("transformer", "vae"))
    if transformer["in_channels"] != 4 * vae["latent_channels"]:
        raise unfit(name, "its denoiser and its autoencoder are of different families")
    if transformer["guidance_embeds"]:
        raise unfit(name, "its denoiser reads its guidance, which no klein model does")
    encoder = read_config(folder / "text_encoder" / "config.json")
    rehearse_language_model(folder / "text_encoder", encoder, name)
    if encoder["hidden_size"] * len(HEARD) != transformer["joint_attention_dim"]:
        raise unfit(name, "its denoiser was made for another text encoder")
    if encoder["num_hidden_layers"] < HEARD[-1]:
        raise unfit(name, f"its text encoder has fewer than {HEARD[-1]} layers")
    if max(base.tokenizer()("a cat")["input_ids"]) >= encoder["vocab_size"]:
        raise unfit(name, "its tokenizer has more words than its text encoder")
    if base.scheduler_config().get("_class_name") != "FlowMatchEulerDiscreteScheduler":
        raise unfit(name, "its scheduler is not one of flow matching")


def _on_meta(folder: Path, kind: Any) -> Any:
    config = read_config(folder / "config.json")
    state = read_tensors(weight_files(folder), META)
    return filled(
        lambda: kind(**kind.extract_init_dict(config)[0]), state, torch.float32, META
    ).config
