"""RGBA adapters for tiny bases, in the layout of docs/rgba-adapters.md and in those of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.autoencoder_kl_flux2 import AutoencoderKLFlux2
from diffusers.models.autoencoders.autoencoder_kl_qwenimage import AutoencoderKLQwenImage
from safetensors.torch import save_file
from torch import Tensor

from acetate.models.component_files import weight_files
from acetate.models.weights import read_weights

LORA = "pytorch_lora_weights.safetensors"
_DENOISERS = {"sd15": "unet", "sdxl": "unet"}
_AUTOENCODERS = {"flux2": AutoencoderKLFlux2, "qwen": AutoencoderKLQwenImage}


def write_adapter(folder: Path, base: Path, like: str, **settings: Any) -> Path:
    """A widened autoencoder that shows some alpha, and a LoRA of the base's attention."""
    folder.mkdir(parents=True, exist_ok=True)
    widened(base, like).save_pretrained(folder / "vae")
    save_file(lora(base, like), folder / LORA)
    if settings:
        (folder / "adapter.json").write_text(json.dumps(settings))
    return folder


def write_like_alphavae(folder: Path, base: Path) -> Path:
    """The autoencoder in the folder itself, the LoRA in one below it."""
    widened(base, "flux").save_pretrained(folder)
    (folder / "finetune_diffusion").mkdir()
    save_file(lora(base, "flux"), folder / "finetune_diffusion" / LORA)
    return folder


def write_like_alphaanything(folder: Path, base: Path, family: str) -> Path:
    """A decoder of alpha beside the untouched autoencoder, built as its own decoder."""
    folder.mkdir(parents=True)
    vae = autoencoder_of(base, family)
    torch.manual_seed(5)
    decoder = {
        name: torch.randn_like(tensor) * 0.2
        for name, tensor in vae.decoder.state_dict().items()
        if name not in ("conv_out.weight", "conv_out.bias")
    }
    wide = vae.decoder.conv_out.weight.shape[1]
    kernel = vae.decoder.conv_out.weight.shape[2:]
    decoder |= {"conv_out.weight": torch.randn(1, wide, *kernel), "conv_out.bias": torch.zeros(1)}
    state = {f"decoder.{name}": tensor.contiguous() for name, tensor in decoder.items()}
    save_file(state, folder / "alpha_decoder.safetensors")
    save_file(lora(base, family), folder / LORA)
    (folder / "adapter_config.json").write_text(json.dumps({"lora_rank": 4}))
    return folder


def widened(base: Path, family: str) -> Any:
    """The base's autoencoder with a fourth channel, whose alpha follows from what it decodes."""
    vae = autoencoder_of(base, family)
    ends = ("input_channels",) if family == "qwen" else ("in_channels", "out_channels")
    config = {**dict(vae.config), **dict.fromkeys(ends, 4)}
    torch.manual_seed(3)
    wide = type(vae).from_config(config)
    state = vae.state_dict()
    for name in ("encoder.conv_in.weight", "decoder.conv_out.weight", "decoder.conv_out.bias"):
        own = wide.state_dict()[name].clone() * 0.5
        part = tuple(slice(side) for side in state[name].shape)
        own[part] = state[name]
        state[name] = own
    wide.load_state_dict(state)
    return wide


def lora(base: Path, family: str) -> dict[str, Tensor]:
    """Low-rank pairs of rank 4 for every key and query, under the names of diffusers."""
    network = _DENOISERS.get(family, "transformer")
    torch.manual_seed(4)
    found: dict[str, Tensor] = {}
    for path in weight_files(base / network):
        for name, weight in read_weights(path).items():
            if name.endswith((".to_q.weight", ".to_k.weight")):
                module = f"{network}.{name.removesuffix('.weight')}"
                found[f"{module}.lora_A.weight"] = torch.randn(4, weight.shape[1]) * 0.3
                found[f"{module}.lora_B.weight"] = torch.randn(weight.shape[0], 4) * 0.3
    return found


def autoencoder_of(base: Path, family: str) -> Any:
    """The base's own, of its published class."""
    kind: Any = _AUTOENCODERS.get(family, AutoencoderKL)
    return kind.from_pretrained(base / "vae")
