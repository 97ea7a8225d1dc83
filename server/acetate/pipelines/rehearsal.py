"""Painting without numbers: whether the parts of a base fit each other, before it is taken over.

All networks are built where tensors have shapes and no content, so even a large base is rehearsed
in seconds and in little memory. Import says yes to what passes here and to nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor
from transformers.models.clip.modeling_clip import CLIPTextModel, CLIPTextModelWithProjection

from acetate.pipelines.diffusers_folder import Base
from acetate.pipelines.network_loading import META
from acetate.pipelines.rehearsing import rehearsing, unfit
from acetate.pipelines.schedulers import make_scheduler

ENCODERS: dict[str, dict[str, Any]] = {
    "sd15": {"": CLIPTextModel},
    "sdxl": {"": CLIPTextModel, "_2": CLIPTextModelWithProjection},
}
"""The text encoders of a family by their part, with the classes of transformers."""


def rehearse(base: Base, family: str, name: str, presets: Sequence[str] = ()) -> int:
    """The native side in pixels of a base that can paint.

    `presets` are schedulers that it will be sampled with. Raises NotRecognised with what does not
    fit.
    """
    with rehearsing(name):
        return _rehearsed(base, family, name, presets)


def _rehearsed(base: Base, family: str, name: str, presets: Sequence[str]) -> int:
    unet: Any = base.denoiser(torch.float32, META)
    vae: Any = base.autoencoder(torch.float32, META)
    config = unet.config
    factor = 2 ** (len(vae.config["block_out_channels"]) - 1)
    channels = vae.config["latent_channels"]
    if vae.config["in_channels"] != 3 or vae.config["out_channels"] != 3:
        raise unfit(name, "its autoencoder is not one of colour pictures")
    if not config["out_channels"] == channels == 4:
        raise unfit(
            name,
            f"its denoiser paints {config['out_channels']} channels and its autoencoder has "
            f"{channels}, where {_WORDS[family]} has 4",
        )
    if vae.config.get("latents_mean") or vae.config.get("latents_std"):
        raise unfit(name, "its latents are normalised in another way (as Playground 2.5's)")
    width, pooled = _embedded(base, family, name)
    if width != config["cross_attention_dim"]:
        raise unfit(
            name,
            f"its text encoders give {width} numbers a word and its denoiser reads "
            f"{config['cross_attention_dim']}",
        )
    _check_extra_inputs(config, pooled, name)
    for preset in ("", *presets):
        make_scheduler(preset or "dpmpp_2m_karras", base.scheduler_config()).set_timesteps(2)
    return int(config["sample_size"]) * factor


def _check_extra_inputs(config: Any, pooled: Tensor | None, name: str) -> None:
    """What a denoiser reads beside noise and words must be what painting gives it."""
    for entry in ("class_embed_type", "encoder_hid_dim_type", "num_class_embeds"):
        if config.get(entry) is not None:
            raise unfit(name, f"its denoiser reads more than words ({entry})")
    if config.get("addition_embed_type") not in (None, "text_time"):
        raise unfit(name, f"its denoiser reads {config['addition_embed_type']} beside words")
    if (pooled is None) != (config.get("addition_embed_type") is None):
        raise unfit(name, "its denoiser and its text encoders are of different families")
    if pooled is not None:
        wide = 6 * config["addition_time_embed_dim"] + pooled.shape[-1]
        if wide != config["projection_class_embeddings_input_dim"]:
            raise unfit(name, "its denoiser was made for another second text encoder")
    _check_cut(config, name)


def _check_cut(config: Any, name: str) -> None:
    """A denoiser of the published widths must be as deep: nothing else fits the transparency."""
    widths = tuple(config["block_out_channels"])
    if widths[:3] != (320, 640, 1280):
        return
    whole = widths[3:] in ((), (1280,)) and config["layers_per_block"] == 2
    depths = config.get("transformer_layers_per_block", 1)
    deep = len(widths) == 4 or (
        isinstance(depths, (list, tuple)) and tuple(cast("list[Any]", depths))[1:] == (2, 10)
    )
    if not (whole and deep and config.get("mid_block_type", "") is not None):
        raise unfit(
            name,
            "its denoiser was cut down (as SSD-1B's or SDXS's), "
            "and no transparency weights fit what is left of it",
        )


_WORDS = {"sd15": "Stable Diffusion 1.5", "sdxl": "SDXL"}


def _embedded(base: Base, family: str, name: str) -> tuple[int, Tensor | None]:
    """How many numbers stand for a word, and the projection that gives SDXL's pooled text."""
    width = 0
    pooled = None
    for part, kind in ENCODERS[family].items():
        encoder: Any = base.text_encoder(kind, part, torch.float32, META)
        tokenizer = cast("Any", base.tokenizer(part))
        words: list[int] = tokenizer.encode("a cat, 2 cats", add_special_tokens=True)
        size = encoder.config.vocab_size
        if max(words) >= size:
            raise unfit(name, f"its tokenizer has more words than its text encoder ({size})")
        width += encoder.config.hidden_size
        projection = getattr(encoder, "text_projection", None)
        if projection is not None:
            pooled = projection.weight[:, :1].T
    return width, pooled
