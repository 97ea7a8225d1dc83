"""Write trained parts as a model folder: diffusers layout, 16-bit safetensors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import nn
from transformers.models.bert.modeling_bert import BertModel

from .architecture import PIXEL_UNSHUFFLE, TRANSPARENCY
from .denoiser import SCALE_FILE, build_painter
from .transparency import load_transparency

MODEL_INDEX: dict[str, Any] = {
    "_class_name": "AcetateEmbedded",
    "pixel_unshuffle": PIXEL_UNSHUFFLE,
    "vae": ["diffusers", "AutoencoderKL"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "text_encoder": ["transformers", "BertModel"],
    "tokenizer": ["tokenizers", "Tokenizer"],
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    "transparency": ["acetate.latent_transparency", "OffsetEncoder + TransparentDecoder"],
}


def write_model(
    folder: Path,
    *,
    autoencoder: AutoencoderKL,
    denoiser: UNet2DConditionModel,
    text_encoder: BertModel,
    tokenizer: Tokenizer,
    offset_encoder: nn.Module,
    transparent_decoder: nn.Module,
) -> None:
    """Write every part of an embedded model below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    index = json.dumps(MODEL_INDEX, indent=2) + "\n"
    (folder / "model_index.json").write_text(index, encoding="utf-8")
    autoencoder.half().save_pretrained(folder / "vae")
    denoiser.half().save_pretrained(folder / "unet")
    text_encoder.half().save_pretrained(folder / "text_encoder")
    (folder / "tokenizer").mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer" / "tokenizer.json"))
    FlowMatchEulerDiscreteScheduler(shift=1.0).save_pretrained(folder / "scheduler")
    transparency = folder / "transparency"
    transparency.mkdir(exist_ok=True)
    config = {**TRANSPARENCY, "offset_factor": 1.0, "offset_scaled_by_std": False}
    (transparency / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    for name, module in (("encoder", offset_encoder), ("decoder", transparent_decoder)):
        weights = {key: value.half().contiguous() for key, value in module.state_dict().items()}
        save_file(weights, transparency / f"{name}.safetensors")


def export_trained(folder: Path, out: Path, language_model: Path) -> None:
    """Write the averaged weights that the stages left in `out` as a model folder.

    FileNotFoundError names the stage that is still to be run.
    """
    pair = load_transparency(out)
    file = out / "denoiser.pt"
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing; run `acetate train denoiser` first")
    average = torch.load(file, weights_only=True)["average"]
    painter = build_painter(language_model, out / "token-vectors.pt")
    painter.denoiser.load_state_dict(average["denoiser"])
    painter.text_encoder.load_state_dict(average["text_encoder"])
    scale = json.loads((out / SCALE_FILE).read_text(encoding="utf-8"))
    pair.autoencoder.register_to_config(scaling_factor=scale["factor"], shift_factor=scale["shift"])
    write_model(
        folder,
        autoencoder=pair.autoencoder,
        denoiser=painter.denoiser,
        text_encoder=painter.text_encoder,
        tokenizer=painter.tokenizer,
        offset_encoder=pair.encoder,
        transparent_decoder=pair.decoder,
    )


def size_in_megabytes(folder: Path) -> float:
    """Size of all files of a model folder, 10⁶ bytes."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
