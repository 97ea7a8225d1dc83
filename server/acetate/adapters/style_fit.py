"""Whether a style can be fused into models of a family, looked at before it is taken over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from diffusers.models.transformers.transformer_flux2 import Flux2Transformer2DModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import nn
from transformers.models.clip.configuration_clip import CLIPTextConfig
from transformers.models.clip.modeling_clip import CLIPTextModel, CLIPTextModelWithProjection

from acetate.adapters.flux_styles import flux_style
from acetate.adapters.lora import fits_nowhere, placed_changes, twice
from acetate.adapters.lora_formats import read_modules
from acetate.adapters.lora_names import Names
from acetate.adapters.patch import PatchMismatch
from acetate.adapters.style_scales import Scales
from acetate.models.weights import read_weights


def style_fits(
    path: Path, families: Sequence[str], header: Mapping[str, str], name: str
) -> tuple[tuple[str, ...], list[str]]:
    """Those of the families whose published models a style fits, and its tensors that are left out.

    Widths are not compared, as bases differ in them; that is done when a style is fused. Raises
    PatchMismatch where it fits none.
    """
    failed: PatchMismatch | None = None
    fitting: dict[str, list[str]] = {}
    for family in families:
        try:
            fitting[family] = _fits(path, family, header, name)
        except PatchMismatch as error:
            failed = failed or error
    if failed is not None and not fitting:
        raise failed
    return tuple(fitting), next(iter(fitting.values()))


def skipped_words(keys: Sequence[str]) -> str:
    """One line about what is left out of a style."""
    more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
    return f"Left out is what is no change of the model: {keys[0]}{more}."


def _fits(path: Path, family: str, header: Mapping[str, str], name: str) -> list[str]:
    file = read_weights(path)
    if family == "flux":
        file = flux_style(file, name)
    modules, left_out = read_modules(file, name)
    scales = Scales.read(header, name)
    published = _published(family)
    names = Names(published)
    whole = {(network, each) for network, own in published.items() for each in own}
    seen: set[tuple[str, str]] = set()
    for said, module in modules.items():
        for network, own, kind, _ in placed_changes(said, module, names, scales, name):
            place = network, f"{own}.{kind}"
            if place not in whole:
                raise fits_nowhere(said, module, name)
            if place in seen:
                raise twice(module, name)
            seen.add(place)
    return left_out


@cache
def _published(family: str) -> dict[str, list[str]]:
    """Names of the parameters of a family's networks, as their authors built them."""
    with torch.device("meta"):
        networks = _networks(family)
    return {name: list(network.state_dict()) for name, network in networks.items()}


def _networks(family: str) -> dict[str, nn.Module]:
    small = CLIPTextModel(CLIPTextConfig(hidden_size=768, num_hidden_layers=12))
    if family == "flux":
        return {
            "transformer": FluxTransformer2DModel(guidance_embeds=True),
            "text_encoder": small,
        }
    if family == "flux2":
        # The larger klein has all blocks that the smaller has, and more.
        return {
            "transformer": Flux2Transformer2DModel(
                num_layers=8, num_single_layers=24, guidance_embeds=False
            )
        }
    if family == "sd15":
        return {"unet": UNet2DConditionModel(cross_attention_dim=768), "text_encoder": small}
    large = CLIPTextConfig(
        hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=20,
        projection_dim=1280,
    )  # fmt: skip
    config: Any = dict(  # Annotated more narrowly than what it takes.
        block_out_channels=(320, 640, 1280),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 2, 10),
        cross_attention_dim=2048,
        attention_head_dim=(5, 10, 20),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=2816,
    )
    return {
        "unet": UNet2DConditionModel(**config),
        "text_encoder": small,
        "text_encoder_2": CLIPTextModelWithProjection(large),
    }
