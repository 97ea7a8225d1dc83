"""Whether an RGBA adapter fits a base, found out without the numbers of either."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from acetate.models.catalog import Entry
from acetate.models.rgba_adapter import RgbaAdapter
from acetate.pipelines.adapted_base import AUTOENCODERS, AutoencoderKL
from acetate.pipelines.base_sources import open_base, place_of
from acetate.pipelines.flux2.components import Flux2Base
from acetate.pipelines.network_loading import META
from acetate.pipelines.published_network import network_on_meta
from acetate.pipelines.qwen.single_file import open_qwen
from acetate.pipelines.rehearsing import rehearsing, unfit
from acetate.pipelines.rgba_adapter import alpha_decoder, lora_of


def rehearse_adapter(adapter: RgbaAdapter, base: Entry, name: str) -> None:
    """Raises NotRecognised with what does not fit."""
    with rehearsing(name):
        _rehearse(adapter, base, name)


def _rehearse(adapter: RgbaAdapter, base: Entry, name: str) -> None:
    denoiser, own = _parts(base)
    if adapter.vae is not None:
        kind = AUTOENCODERS.get(adapter.family, AutoencoderKL)
        widened = network_on_meta(kind, adapter.vae).config
        for key in ("latent_channels", "z_dim", "scaling_factor", "shift_factor"):
            if widened.get(key) != own.get(key):
                raise unfit(
                    name,
                    f"its autoencoder has {key} {widened.get(key)}, where that of {base.id} has "
                    f"{own.get(key)}",
                )
        if _depth(widened) != _depth(own):
            raise unfit(name, f"its autoencoder is not as deep as that of {base.id}")
    elif adapter.decoder is not None:
        alpha_decoder(adapter.decoder, own)
    lora_of(adapter, denoiser)


def _depth(config: Any) -> int:
    """How often an autoencoder halves the sides, and once more."""
    return len(config.get("block_out_channels") or config["dim_mult"])


def _parts(base: Entry) -> tuple[nn.Module, Any]:
    """The denoiser of a base and the configuration of its autoencoder, without numbers."""
    place = place_of(base)
    if base.family in ("flux2", "qwen"):
        own = dict(base.supplied)
        folder = Flux2Base(place) if base.family == "flux2" else open_qwen(place, own)
        return folder.on_meta("transformer"), folder.on_meta("vae").config
    if base.family == "flux":
        from acetate.pipelines.flux.loader import open_flux

        flux = open_flux(place, dict(base.supplied))
        return flux.on_meta("transformer"), flux.on_meta("vae").config
    other = open_base(place, base.family, base.facts, dict(base.supplied), META)
    denoiser, vae = (part(torch.float32, META) for part in (other.denoiser, other.autoencoder))
    return denoiser, vae.config
