"""Weights that Acetate cannot paint with, told by their tensors, and what to take instead."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

Shapes = Mapping[str, tuple[int, ...]]

_ADAPTERS = {
    r"^lora_controlnet$": "a control-LoRA, of which Acetate cannot make a control network: "
    "take the full control network of the same name",
    r"(^|\.)(task_embedding$|control_add_embedding\.|transformer_layes\.)": "a union control "
    "network, whose kinds share one network: take the network of a single kind",
    r"^controlnet_(x_embedder|mode_embedder|blocks)\.": "a control network for Flux or SD 3, "
    "and Acetate follows control images with SD 1.5 and SDXL only",
    r"^(adapter\.)?body\.\d+\.(block\d|in_conv|resnets|down)": "a T2I adapter: take a control "
    "network (ControlNet) of the same kind",
    r"^(image_proj|ip_adapter)\.": "an IP-Adapter, which paints after a picture; "
    "Acetate has no mode for that",
    r"^(latent_image_proj|perceiver_resampler)\.": "an image adapter of another program",
    r"^lllite_": "a ControlNet-LLLite: take the full control network",
    r"motion_modules\.": "a motion module for videos, and Acetate paints single pictures",
    r"^(pulid|id_adapter)": "an identity adapter of another program",
}
"""What goes with a base in other programs, by names of its tensors."""

_MODELS = {
    r"joint_blocks\.\d+\.(context_block|x_block)\.": "Stable Diffusion 3",
    r"double_stream_modulation_img\.": "FLUX.2",
    r"distilled_guidance_layer\.": "Chroma",
    r"(^|\.)transformer_blocks\.\d+\.img_mod\.": "Qwen-Image",
    r"(^|\.)transformer_blocks\.\d+\.txt_mlp\.": "Qwen-Image",
    r"(^|\.)(cap_embedder|context_refiner)\.": "Lumina or Z-Image",
    r"(^|\.)adaln_single\.": "PixArt or Sana",
    r"(^|\.)double_layers\.\d+\.": "AuraFlow",
    r"(^|\.)(clip_txt_mapper|clip_mapper)\.": "Stable Cascade",
    r"(^|\.)blocks\.\d+\.cross_attn\.norm_k\.": "Wan, which paints videos",
    r"(^|\.)(style_embedder|mlp_t5)\.": "Hunyuan-DiT",
    r"(^|\.)caption_projection\.": "HiDream or another transformer",
    r"^denoiser\.sigmas$": "Stable Video or another model over its own noise levels",
}
"""Bases of other families, by names of their tensors."""

_UPSCALERS = r"^(model\.0\.weight|conv_first\.weight|RRDB_trunk\.|body\.0\.rdb1\.)"
_WIDTHS = {1024: "Stable Diffusion 2", 1280: "the refiner of SDXL", 4096: "a model with T5 words"}
"""Bases with a U-Net, by the width of the words that it reads."""


def foreign_words(shapes: Shapes, widths: Collection[int] = ()) -> str:
    """Words that go on after “FILE is”; empty for what none of the marks fits.

    `widths` are those of the words that its cross attention reads.
    """
    for pattern, words in _ADAPTERS.items():
        if any(re.search(pattern, name) for name in shapes):
            return words
    for pattern, model in _MODELS.items():
        if any(re.search(pattern, name) for name in shapes):
            return _other(model)
    for width in sorted(widths):
        if width in _WIDTHS:
            return _of_width(width)
    if any(re.match(_UPSCALERS, name) for name in shapes):
        return "an upscaler, which Acetate has its own of"
    return ""


def _of_width(width: int) -> str:
    if width == 1280:
        return (
            "the refiner of SDXL, which only finishes what another model began: "
            "take the base model of SDXL"
        )
    return _other(_WIDTHS[width])


def _other(model: str) -> str:
    return (
        f"{'' if model.startswith('the ') else 'for '}{model}, a family of models that Acetate "
        "cannot paint with: it needs Stable Diffusion 1.5, SDXL or Flux"
    )
