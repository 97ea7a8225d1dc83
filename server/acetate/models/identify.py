"""Telling from its tensors what a weight file is, and for which family of models."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from acetate.errors import AcetateError
from acetate.models.files import damaged, existing

Shapes = Mapping[str, tuple[int, ...]]
Role = Literal["base", "style", "control", "patch", "encoder", "decoder", "pair"]

_TEXT_WIDTHS = {768: "sd15", 1024: "", 2048: "sdxl"}
"""Width of the text states that cross attention reads; none of ours reads 1024 (SD 2)."""

_MARKS = {
    "sdxl": ("label_emb.", "add_embedding.", "lora_te2_", "text_encoder_2.", "embedders.1."),
    "sd15": ("cond_stage_model.transformer.", "lora_te_", "text_encoder.", "middle_block."),
}
"""Parts of names that only one family has, the surer first; for files that tell no width."""

_CROSS_ATTENTION = re.compile(r"attn2[._](?:processor\.)?to_k(?:_lora)?\.(?:\w+\.)*weight$")
_LORA = re.compile(r"[._](?:lora_down|lora_A|lora\.down|down)(?:\.default)?\.weight$")
_FLUX = ("double_blocks.", "single_transformer_blocks.", "double_blocks_", "single_blocks_")


class NotRecognised(AcetateError):
    """A weight file is not of a kind, or not for a family, that Acetate can use."""

    code = "not_recognised"


@dataclass(frozen=True)
class Kind:
    """What a file is; `families` are those it fits, as some files of two look the same."""

    role: Role
    families: tuple[str, ...]


def recognise_file(path: Path) -> Kind:
    """Look at the names and shapes in a safetensors file, not at its numbers.

    Raises NotRecognised, ModelMissing or ModelDamaged.
    """
    return recognise(shapes_in(path), path.name)


def recognise_denoiser(path: Path) -> tuple[str, ...]:
    """The families that a denoiser under diffusers' names fits. Raises as `recognise_file`."""
    return _families("base", shapes_in(path), path.name)


def shapes_in(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors in a safetensors file. Raises ModelMissing, ModelDamaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(existing(path), framework="pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise damaged(path) from error


def recognise(shapes: Shapes, name: str) -> Kind:
    """The kind of a file with these tensors; `name` is for the error. Raises NotRecognised."""
    for role, fits in _ROLES.items():
        if fits(shapes):
            return Kind(role, _families(role, shapes, name))
    raise NotRecognised(
        f"{name} is neither a model, a style, a control network nor transparency weights "
        "that Acetate knows."
    )


def _is_patch(shapes: Shapes) -> bool:
    return any("::" in key or key.startswith("hookers.layers.") for key in shapes)


def _is_encoder(shapes: Shapes) -> bool:
    return {key.split(".")[0] for key in shapes} == {"blocks"} and "blocks.16.weight" in shapes


def _is_decoder(shapes: Shapes) -> bool:
    return "latent_conv_in.weight" in shapes


def _is_pair(shapes: Shapes) -> bool:
    return "decoder.latent_conv_in.weight" in shapes


def _is_control(shapes: Shapes) -> bool:
    hints = ("controlnet_cond_embedding.conv_in.weight", "input_hint_block.0.weight")
    return any(key.endswith(hints) for key in shapes)


def _is_style(shapes: Shapes) -> bool:
    return any(_LORA.search(key) for key in shapes)


def _is_base(shapes: Shapes) -> bool:
    denoisers = (
        "model.diffusion_model.input_blocks.0.0.weight",
        "double_blocks.0.img_attn.qkv.weight",
    )
    return any(key.endswith(denoisers) for key in shapes)


_ROLES: dict[Role, Callable[[Shapes], bool]] = {
    "patch": _is_patch,
    "encoder": _is_encoder,
    "decoder": _is_decoder,
    "pair": _is_pair,
    "control": _is_control,
    "style": _is_style,
    "base": _is_base,
}
"""In this order: a patch also holds pairs of small matrices, as a style does."""


def _families(role: Role, shapes: Shapes, name: str) -> tuple[str, ...]:
    if role == "encoder":
        return _by_latent(shapes["blocks.16.weight"][0])
    if role == "decoder":
        return _by_latent(shapes["latent_conv_in.weight"][1])
    if role == "pair":
        return _by_latent(shapes["decoder.latent_conv_in.weight"][1])
    if role == "patch":
        return ("sd15",) if any(key.startswith("hookers.") for key in shapes) else ("sdxl",)
    if any(mark in key for key in shapes for mark in _FLUX):
        return ("flux",)
    widths = {shapes[key][-1] for key in shapes if _CROSS_ATTENTION.search(key)}
    told = {_TEXT_WIDTHS[width] for width in widths if width in _TEXT_WIDTHS}
    families = tuple(sorted(told - {""})) if told else _by_marks(shapes)
    if not families:
        raise NotRecognised(
            f"{name} belongs to a family of models that Acetate cannot paint with: "
            "it needs Stable Diffusion 1.5, SDXL or Flux."
        )
    return families


def _by_marks(shapes: Shapes) -> tuple[str, ...]:
    for family, marks in _MARKS.items():
        if any(mark in key for key in shapes for mark in marks):
            return (family,)
    # What is left are networks under diffusers' names, of which SDXL's would have been marked.
    return ("sd15",) if any(key.startswith("down_blocks.") for key in shapes) else ()


def _by_latent(channels: int) -> tuple[str, ...]:
    return ("flux",) if channels == 16 else ("sd15", "sdxl")
