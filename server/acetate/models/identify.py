"""Telling from its tensors what a weight file is, and for which family of models."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from acetate.models.control_kinds import union_kinds
from acetate.models.files import existing
from acetate.models.foreign_models import Shapes, foreign_words, is_flux2_style
from acetate.models.gguf_header import GgufHeader, is_gguf, read_gguf_header
from acetate.models.image_network_shapes import (
    families_of_image_adapter,
    is_image_adapter,
    is_upscaler,
)
from acetate.models.recognition_error import NotRecognised
from acetate.models.safetensors_header import Header, read_header
from acetate.models.t2i_names import t2i_form

__all__ = ["Kind", "NotRecognised", "Role", "Shapes", "header_of", "recognise", "shapes_in"]

Role = Literal[
    "base",
    "style",
    "control",
    "patch",
    "encoder",
    "decoder",
    "pair",
    "autoencoder",
    "text encoder",
    "words",
    "matting",
    "image adapter",
    "image encoder",
    "upscaler",
]

_TEXT_WIDTHS = {768: "sd15", 2048: "sdxl"}
"""Width of the text states that cross attention reads."""

_MARKS = {
    "sdxl": ("label_emb.", "add_embedding.", "lora_te2_", "text_encoder_2.", "embedders.1."),
    "sd15": ("cond_stage_model.transformer.", "lora_te_", "text_encoder.", "middle_block."),
}
"""Parts of names that only one family has, the surer first; for files that tell no width."""

_CROSS_ATTENTION = re.compile(
    r"attn2[._](?:processor\.)?to_[kv](?:_lora)?"
    r"\.(?:[\w-]+\.)*(?:weight|hada_w1_b|hada_w2_b|diff|down)$"
)
_STYLE = re.compile(
    r"[._](?:lora_down|lora_A|lora\.down|down)(?:\.[\w-]+)?\.weight$"
    r"|\.(?:hada_w1_a|lokr_w1|lokr_w1_a|lokr_w2|diff|diff_b|w_norm|oft_blocks|oft_diag|a1\.weight)$"
)
_STYLE_ANY = re.compile(r"lora|hada|lokr|\.diff|_norm$|alpha")
_UNET = re.compile(r"(down_blocks|mid_block|up_blocks|conv_in|conv_out|conv_norm_out)\.")
_TIME = "time_embedding.linear_1.weight"
_PROJECTION = re.compile(r"attn[12][._](?:processor\.)?to_(q|k|v|out)")
_PROJECTIONS, _RANK = 560, 256
"""Of SDXL's denoiser, and of the published transparency weights."""

_MOST_T5_WORDS = 200_000
"""Tokens that the T5 of Flux does not nearly know: it has 32,128."""

_FLUX = (
    "double_blocks.",
    "single_transformer_blocks.",
    "single_transformer_blocks_",
    "double_blocks_",
    "single_blocks_",
)
_BASES = ("input_blocks.0.0.weight", "double_blocks.0.img_attn.qkv.weight", _TIME)
_AUTOENCODERS = re.compile(r"(?:^|\.)decoder\.(?:up\.\d|up_blocks\.\d)\.")
_WORDS = re.compile(r"emb_params|string_to_param\.\*|clip_[lg]|<.+>|[^.]+")


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


def recognise_denoiser(shapes: Shapes, name: str) -> tuple[str, ...]:
    """The families that a denoiser under diffusers' names fits. Raises as `recognise_file`."""
    try:
        return _families("base", shapes, name)
    except IndexError as error:
        raise NotRecognised(f"The denoiser of {name} has shapes that no denoiser has.") from error


def shapes_in(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors in a file of weights. Raises ModelMissing, ModelDamaged."""
    return _header(path).shapes


def header_of(path: Path) -> dict[str, str]:
    """What a file of weights says about itself. Raises ModelMissing, ModelDamaged."""
    return _header(path).metadata


def _header(path: Path) -> Header | GgufHeader:
    return read_gguf_header(path) if is_gguf(existing(path)) else read_header(path)


def recognise(shapes: Shapes, name: str) -> Kind:
    """The kind of a file with these tensors; `name` is for the error. Raises NotRecognised."""
    try:
        return _recognise(shapes, name)
    except IndexError as error:
        raise NotRecognised(
            f"{name} names its tensors as a model does, but their shapes are none of a model's."
        ) from error


def _recognise(shapes: Shapes, name: str) -> Kind:
    if not shapes:
        raise NotRecognised(f"{name} is a file of weights without any: it holds no tensor.")
    if _is_qwen(shapes):
        return Kind("base", ("qwen",))
    if is_flux2_style(shapes):
        return Kind("style", ("flux2",))
    certain = (_is_patch, _is_encoder, _is_decoder, _is_pair, is_upscaler, t2i_form, union_kinds)
    if not any(role(shapes) for role in certain) and (
        words := foreign_words(shapes, _text_widths(shapes))
    ):
        raise NotRecognised(f"{name} is {words}.")
    for role, fits in _ROLES.items():
        if fits(shapes):
            return Kind(role, _families(role, shapes, name))
    raise NotRecognised(
        f"{name} is neither a model, a style, a control network nor transparency weights "
        "that Acetate knows."
    )


def _is_qwen(shapes: Shapes) -> bool:
    """The denoiser of Qwen-Image, under the names that its authors and diffusers share."""
    ends = ("transformer_blocks.0.img_mod.1.weight", "txt_norm.weight")
    return not any(map(_STYLE.search, shapes)) and all(
        any(key.endswith(end) for key in shapes) for end in ends
    )


def _is_patch(shapes: Shapes) -> bool:
    if any("::" in key for key in shapes):
        return True
    if any(key.startswith("hookers.layers.") for key in shapes):
        return True
    return _is_offsets(shapes) or _is_every_attention(shapes) or _is_relighting(shapes)


def _is_offsets(shapes: Shapes) -> bool:
    """The authors' own multiplied-out form: plain names of a part of diffusers' U-Net."""
    if any("motion_modules." in key for key in shapes):
        return False
    plain = all(_UNET.match(key) and key.endswith((".weight", ".bias")) for key in shapes)
    return plain and _TIME not in shapes and not any(map(_STYLE_ANY.search, shapes))


def _is_relighting(shapes: Shapes) -> bool:
    """IC-Light's changes of a whole U-Net, for noise and two pictures at its entry."""
    return _TIME in shapes and shapes.get("conv_in.weight", (0, 0))[1:2] == (12,)


def _is_every_attention(shapes: Shapes) -> bool:
    """Another port's form: a pair of rank 256 for every projection of attention, nothing else.

    Those who train styles take less than all of it, more than it, or another rank.
    """
    downs = {key: shape for key, shape in shapes.items() if _STYLE.search(key)}
    return (
        len(downs) == _PROJECTIONS
        and all(shape[0] == _RANK for shape in downs.values())
        and all(_PROJECTION.search(key) for key in shapes)
    )


def _is_encoder(shapes: Shapes) -> bool:
    return {key.split(".")[0] for key in shapes} == {"blocks"} and "blocks.16.weight" in shapes


def _is_decoder(shapes: Shapes) -> bool:
    return "latent_conv_in.weight" in shapes


def _is_pair(shapes: Shapes) -> bool:
    return "decoder.latent_conv_in.weight" in shapes


def _is_control(shapes: Shapes) -> bool:
    hints = ("controlnet_cond_embedding.conv_in.weight", "input_hint_block.0.weight")
    return any(key.endswith(hints) for key in shapes) or t2i_form(shapes) is not None


def _is_style(shapes: Shapes) -> bool:
    return any(_STYLE.search(key) for key in shapes)


def _is_base(shapes: Shapes) -> bool:
    return any(key.endswith(_BASES) for key in shapes)


def _is_autoencoder(shapes: Shapes) -> bool:
    return any(_AUTOENCODERS.search(key) for key in shapes)


def _is_text_encoder(shapes: Shapes) -> bool:
    return any(key.endswith(("token_embedding.weight", "shared.weight")) for key in shapes)


def _is_words(shapes: Shapes) -> bool:
    sides = {shape[-1] for shape in shapes.values() if 1 <= len(shape) <= 2}
    return (
        0 < len(shapes) <= 4
        and all(_WORDS.fullmatch(key) for key in shapes)
        and all(1 <= len(shape) <= 2 for shape in shapes.values())
        and bool(sides)
        and sides <= {768, 1280, 1024, 4096}
    )


def _is_image_encoder(shapes: Shapes) -> bool:
    return "visual_projection.weight" in shapes and not _is_text_encoder(shapes)


_ROLES: dict[Role, Callable[[Shapes], bool]] = {
    "image adapter": is_image_adapter,
    "image encoder": _is_image_encoder,
    "patch": _is_patch,
    "encoder": _is_encoder,
    "decoder": _is_decoder,
    "pair": _is_pair,
    "control": _is_control,
    "style": _is_style,
    "base": _is_base,
    "autoencoder": _is_autoencoder,
    "text encoder": _is_text_encoder,
    "words": _is_words,
    "upscaler": is_upscaler,
}
"""In this order: a patch also holds pairs of small matrices, as a style does; a base also holds an
autoencoder and text encoders."""


def _families(role: Role, shapes: Shapes, name: str) -> tuple[str, ...]:
    if role == "control" and (form := t2i_form(shapes)) is not None:
        return (form.family,)
    if role == "encoder":
        return _by_latent(shapes["blocks.16.weight"][0])
    if role == "decoder":
        return _by_latent(shapes["latent_conv_in.weight"][1])
    if role == "pair":
        return _by_latent(shapes["decoder.latent_conv_in.weight"][1])
    if role == "autoencoder":
        return _of_autoencoder(shapes, name)
    if role == "text encoder":
        return _of_text_encoder(shapes, name)
    if role == "words":
        sides = {shape[-1] for shape in shapes.values()}
        if sides & {1024, 4096}:
            family = "Stable Diffusion 2" if 1024 in sides else "Flux or Stable Diffusion 3"
            raise NotRecognised(
                f"{name} is a learned word (an embedding) for {family}: "
                "Acetate reads those for Stable Diffusion 1.5 and SDXL."
            )
        return ("sdxl",) if {"clip_g", "clip_l"} & set(shapes) else ("sd15",)
    if role == "upscaler":
        return ("upscaler",)
    if role == "image encoder":
        return ("sd15", "sdxl", "flux")
    if role == "image adapter":
        return families_of_image_adapter(shapes, name)
    if role == "patch":
        if _is_relighting(shapes) or any(key.startswith("hookers.") for key in shapes):
            return ("sd15",)
        return ("sdxl",)
    if any(mark in key for key in shapes for mark in _FLUX):
        return ("flux",)
    told = {_TEXT_WIDTHS[width] for width in _text_widths(shapes) if width in _TEXT_WIDTHS}
    families = tuple(sorted(told)) if told else _by_marks(shapes)
    if not families and role == "style":
        return ("sd15", "sdxl")  # Which of them is told by where its modules are.
    if not families:
        raise NotRecognised(
            f"{name} belongs to a family of models that Acetate cannot paint with: "
            "it needs Stable Diffusion 1.5, SDXL or Flux."
        )
    return families


def _text_widths(shapes: Shapes) -> set[int]:
    return {
        shapes[key][-1] for key in shapes if _CROSS_ATTENTION.search(key) and len(shapes[key]) > 1
    }


def _of_autoencoder(shapes: Shapes, name: str) -> tuple[str, ...]:
    def side(ending: str, which: int, usual: int) -> int:
        return next((shapes[key][which] for key in shapes if key.endswith(ending)), usual)

    entry = next((shapes[key] for key in shapes if key.endswith("decoder.conv_in.weight")), ())
    latent = side("decoder.conv_in.weight", 1, 4)
    ends = side("encoder.conv_in.weight", 1, 3), side("decoder.conv_out.weight", 0, 3)
    words = ""
    if len(entry) == 5:
        words = "the autoencoder of Qwen-Image or of a model that paints films"
    elif any("quantize." in key for key in shapes) or latent not in (4, 16, 32):
        words = (
            f"an autoencoder of no family that Acetate paints with: its latent has {latent} parts"
        )
    elif ends == (4, 4):
        words = (
            "an autoencoder that knows transparency: import the folder that it lies in, with its "
        )
        words += "config.json and, if there is one, its LoRA (an RGBA adapter)"
    elif ends[1] == 1:
        words = (
            "a decoder of alpha: import the folder that it lies in, with its LoRA (an RGBA adapter)"
        )
    elif ends != (3, 3):
        words = "an autoencoder of other pictures than those with three colours"
    elif latent == 32:
        words = (
            "the autoencoder of FLUX.2, which Acetate takes with the folder of diffusers it is in"
        )
    if words:
        raise NotRecognised(f"{name} is {words}.")
    return _by_latent(latent)


def _of_text_encoder(shapes: Shapes, name: str) -> tuple[str, ...]:
    words = next((shapes[key][0] for key in shapes if key.endswith("shared.weight")), 0)
    if words > _MOST_T5_WORDS:
        raise NotRecognised(f"{name} is the text encoder of Wan or another model of films (UMT5).")
    if words:
        return ("flux",)
    width = next(shapes[key][1] for key in shapes if key.endswith("token_embedding.weight"))
    families = {1024: (), 1280: ("sdxl",)}.get(width, ("sd15", "sdxl", "flux"))
    if not families:
        raise NotRecognised(f"{name} is the text encoder of Stable Diffusion 2.")
    return families


def _by_marks(shapes: Shapes) -> tuple[str, ...]:
    for family, marks in _MARKS.items():
        if any(mark in key for key in shapes for mark in marks):
            return (family,)
    # What is left are networks under diffusers' names, of which SDXL's would have been marked.
    return ("sd15",) if any(key.startswith("down_blocks.") for key in shapes) else ()


def _by_latent(channels: int) -> tuple[str, ...]:
    return ("flux",) if channels == 16 else ("sd15", "sdxl")
