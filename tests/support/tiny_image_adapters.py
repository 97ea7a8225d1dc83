"""IP-Adapters and image encoders under their published names, tiny and random."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers.models.clip.configuration_clip import CLIPVisionConfig
from transformers.models.clip.modeling_clip import CLIPVisionModelWithProjection

HIDDEN, PROJECTION, IMAGE_SIDE = 32, 24, 28


def write_image_adapter(path: Path, unet: Any, kind: str = "plain") -> Path:
    """For this denoiser; `kind` is “plain” (one vector of a picture) or “plus” (all its states)."""
    generator = torch.Generator().manual_seed(len(kind))

    def drawn(*shape: int, gain: float = 1.0) -> Tensor:
        return torch.randn(shape, generator=generator) * gain / shape[-1] ** 0.5

    width = int(unet.config["cross_attention_dim"])
    names = [name for name in unet.attn_processors if name.endswith("attn2.processor")]
    state: dict[str, Tensor] = {}
    for index, name in enumerate(names):
        inner = unet.get_submodule(name.removesuffix(".processor")).inner_dim
        for part in ("to_k_ip", "to_v_ip"):
            state[f"ip_adapter.{2 * index + 1}.{part}.weight"] = drawn(inner, width, gain=2.0)
    made = _plain(drawn, width) if kind == "plain" else _plus(drawn, width)
    state |= {f"image_proj.{name}": tensor for name, tensor in made.items()}
    save_file(state, path)
    return path


def write_flux_image_adapter(path: Path, transformer: Any, layout: str = "theirs") -> Path:
    """For this transformer, under the names of X-Labs (“theirs”) or of diffusers (“plain”)."""
    generator = torch.Generator().manual_seed(len(layout))

    def drawn(*shape: int, gain: float = 1.0) -> Tensor:
        return torch.randn(shape, generator=generator) * gain / shape[-1] ** 0.5

    width = int(transformer.config["joint_attention_dim"])
    projection, attention = {
        "theirs": (
            "ip_adapter_proj_model",
            "double_blocks.{}.processor.ip_adapter_double_stream_{}_proj",
        ),
        "plain": ("image_proj", "ip_adapter.{}.to_{}_ip"),
    }[layout]
    state = {f"{projection}.{name}": tensor for name, tensor in _plain(drawn, width).items()}
    for index, block in enumerate(transformer.transformer_blocks):
        for part in "kv":
            name = attention.format(index, part)
            state[f"{name}.weight"] = drawn(block.attn.inner_dim, width, gain=2.0)
            state[f"{name}.bias"] = drawn(block.attn.inner_dim)
    save_file(state, path)
    return path


def _plain(drawn: Any, width: int) -> dict[str, Tensor]:
    return {
        "proj.weight": drawn(4 * width, PROJECTION),
        "proj.bias": drawn(4 * width),
        "norm.weight": torch.ones(width),
        "norm.bias": drawn(width),
    }


def _plus(drawn: Any, width: int) -> dict[str, Tensor]:
    side = 64
    state = {
        "latents": drawn(1, 5, side),
        "proj_in.weight": drawn(side, HIDDEN),
        "proj_in.bias": drawn(side),
        "proj_out.weight": drawn(width, side),
        "proj_out.bias": drawn(width),
        "norm_out.weight": torch.ones(width),
        "norm_out.bias": drawn(width),
    }
    for layer in range(4):
        for norm in ("0.norm1", "0.norm2", "1.0"):
            state[f"layers.{layer}.{norm}.weight"] = torch.ones(side)
            state[f"layers.{layer}.{norm}.bias"] = drawn(side)
        state[f"layers.{layer}.0.to_q.weight"] = drawn(side, side)
        state[f"layers.{layer}.0.to_kv.weight"] = drawn(2 * side, side)
        state[f"layers.{layer}.0.to_out.weight"] = drawn(side, side)
        state[f"layers.{layer}.1.1.weight"] = drawn(4 * side, side)
        state[f"layers.{layer}.1.3.weight"] = drawn(side, 4 * side)
    return state


def write_image_encoder(folder: Path) -> Path:
    """A folder as it is published: config.json and model.safetensors."""
    torch.manual_seed(5)
    network = CLIPVisionModelWithProjection(encoder_config())
    network.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    assert config["num_attention_heads"] == 4
    return folder


def encoder_config() -> CLIPVisionConfig:
    return CLIPVisionConfig(
        hidden_size=HIDDEN,
        intermediate_size=48,
        projection_dim=PROJECTION,
        num_hidden_layers=3,
        num_attention_heads=4,
        image_size=IMAGE_SIDE,
        patch_size=14,
        hidden_act="gelu",
    )
