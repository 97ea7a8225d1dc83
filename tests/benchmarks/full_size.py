"""SDXL and SD 1.5 at their full size, with random weights that never touch the disk."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn
from transformers.models.clip.configuration_clip import CLIPTextConfig
from transformers.models.clip.tokenization_clip import CLIPTokenizer

from acetate.adapters import AttentionSharing, WeightPatch
from acetate.adapters.weight_changes import Change, LowRank, Offset
from acetate.latent_transparency import OffsetEncoder, TransparentDecoder
from acetate.pipelines.clip import clip_tokenizer
from acetate.pipelines.pipeline import Patch
from acetate.pipelines.sd15 import Sd15Pipeline
from acetate.pipelines.sdxl import SdxlPipeline
from acetate.pipelines.transparency_weights import TransparencyPair
from tests.parity.reference import listing
from tests.support.tiny_families import NOISE

SDXL: dict[str, Any] = {
    "sample_size": 128,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "block_out_channels": (320, 640, 1280),
    "cross_attention_dim": 2048,
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
SD15: dict[str, Any] = {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8}
_VAE: dict[str, Any] = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (128, 256, 512, 512),
    "layers_per_block": 2,
}
_ENCODERS: dict[str, dict[str, Any]] = {
    "": {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12,
         "num_attention_heads": 12, "projection_dim": 768, "hidden_act": "quick_gelu"},
    "_2": {"hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32,
           "num_attention_heads": 20, "projection_dim": 1280, "hidden_act": "gelu"},
}  # fmt: skip
_SHARED = {
    "text": "keys_layer_sd15_transparent_attn",
    "joint": "keys_layer_sd15_joint",
    "fg2bg": "keys_layer_sd15_fg2bg_bg2fg",
    "bg2fg": "keys_layer_sd15_fg2bg_bg2fg",
}
_WIDENED = {"fg2ble": 8, "bg2ble": 8, "fgble2bg": 12, "bgble2fg": 12}


class RandomBase:
    """A `Base` out of nothing."""

    def __init__(self, family: str) -> None:
        self._family = family
        self.files: dict[str, Path] = {}
        self.weights: list[Path] = []

    def scheduler_config(self) -> dict[str, Any]:
        return dict(NOISE)

    def denoiser(self, dtype: torch.dtype, device: torch.device) -> UNet2DConditionModel:
        config = SDXL if self._family == "sdxl" else SD15
        return frozen(lambda: UNet2DConditionModel(**config), device, dtype)

    def autoencoder(self, dtype: torch.dtype, device: torch.device) -> AutoencoderKL:
        scale = 0.13025 if self._family == "sdxl" else 0.18215
        return frozen(lambda: AutoencoderKL(**_VAE, scaling_factor=scale), device, dtype)

    def text_encoder(self, kind: Any, part: str, dtype: torch.dtype, device: torch.device) -> Any:
        return frozen(lambda: kind(CLIPTextConfig(**_ENCODERS[part])), device, dtype)

    def tokenizer(self, part: str) -> CLIPTokenizer:
        return clip_tokenizer("!") if part else clip_tokenizer()


class _Kept:
    """The patch that was used last stays in memory, as those of files do."""

    _kept: tuple[str, Patch] | None = None

    def patch_for(self, mode: str) -> Patch:
        if self._kept is None or self._kept[0] != mode:
            self._kept = None
            self._kept = (mode, self.random_patch(mode))
        return self._kept[1]

    @abstractmethod
    def random_patch(self, mode: str) -> Patch:
        """A patch in the shapes of the published files, and random contents."""


class FullSdxl(_Kept, SdxlPipeline):
    """SDXL, whose patches are random, too."""

    def random_patch(self, mode: str) -> Patch:
        changes: dict[str, Change] = {}
        for name, weight in self.denoiser.state_dict().items():
            attention = ".attn" in name and name.endswith(".weight")
            if mode == "text" and attention:
                up, down = weight.new_empty(weight.shape[0], 256), weight[:1].new_empty(256, 1)
                down = down.expand(-1, weight.shape[1]).contiguous()
                changes[name] = LowRank(up.normal_(std=1e-3), down.normal_(std=1e-3))
            elif mode != "text" and ("resnets" in name or "samplers" in name):
                changes[name] = Offset(torch.randn_like(weight) * 1e-3)
        if mode != "text":
            wide = self.denoiser.get_parameter("conv_in.weight").new_empty(
                320, _WIDENED[mode], 3, 3
            )
            changes["conv_in.weight"] = Offset(wide.normal_(std=1e-3))
        return WeightPatch(changes)


class FullSd15(_Kept, Sd15Pipeline):
    """SD 1.5, whose patches are random, too."""

    def random_patch(self, mode: str) -> Patch:
        def random(shape: list[int]) -> Tensor:
            return torch.randn(shape, device=self.device, dtype=self.dtype) * 1e-3

        if mode == "harmonize":
            weights = self.denoiser.state_dict()
            changes = {name: random(list(weight.shape)) for name, weight in weights.items()}
            changes["conv_in.weight"] = random([320, 12, 3, 3])
            return WeightPatch({name: Offset(change) for name, change in changes.items()})
        shapes = listing(_SHARED[mode])
        file = {name: random(shape) for name, shape in shapes.items()}
        return AttentionSharing.read(file, self.denoiser)


def full_pipeline(family: str, device: torch.device, dtype: torch.dtype) -> FullSdxl | FullSd15:
    """A pipeline of the family at its published size."""
    pair = TransparencyPair(
        frozen(OffsetEncoder, device, dtype), frozen(TransparentDecoder, device, dtype)
    )
    pair.decoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    kind: Any = FullSdxl if family == "sdxl" else FullSd15
    return kind(
        RandomBase(family),
        pair,
        device=device,
        home=device,
        locate=lambda id_: None,
        model=f"random {family}",
        dtypes=(dtype, dtype),
    )


def frozen(make: Any, device: torch.device, dtype: torch.dtype) -> Any:
    """A network with its first random weights, made where it will run."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)  # Larger ones first would need twice the memory.
    try:
        with torch.device(device):
            network = make()
    finally:
        torch.set_default_dtype(before)
    return nn.Module.to(network.eval().requires_grad_(False), dtype=dtype)
