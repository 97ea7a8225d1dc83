"""Previews by a tiny autoencoder (TAESD, Ollin Boer Bohan): nearly what the real one shows.

It is there once it was fetched (`acetate models pull preview-sdxl`), by Acetate or another program,
and knows colour alone; alpha comes from the linear map.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, cast

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from torch import Tensor, nn
from torch.nn.functional import interpolate

from acetate.errors import AcetateError
from acetate.models.files import MALFORMED
from acetate.models.hub_cache import located_file
from acetate.models.network_config import read_network_config
from acetate.models.preview_decoders import REPOSITORIES, WEIGHTS
from acetate.models.safetensors_header import read_header

log = logging.getLogger("acetate.pipelines")

LARGEST = 256
"""Pixels of a preview's longer side."""

_PIXELS = 8
"""Pixels of a side that a place of the latent becomes."""


def quickly_decoded(latent: Tensor) -> Tensor:
    """A latent [B, C, h, w] at half its sides, but not smaller than it is shown.

    Whole it would take a twentieth of a step of SDXL, and a tenth of one of SD 1.5.
    """
    scale = min(1.0, max(0.5, LARGEST / _PIXELS / max(latent.shape[-2:])))
    sides = [max(1, round(side * scale)) for side in latent.shape[-2:]]
    return interpolate(latent, sides, mode="area") if scale < 1 else latent


class TinyDecoder:
    """Decodes scaled latents, which its authors trained it for."""

    def __init__(self, network: AutoencoderTiny, device: torch.device) -> None:
        self._network: Any = nn.Module.to(network.eval().requires_grad_(False), device)

    def see(self, latent: Tensor, alpha: Tensor) -> Tensor:
        """Straight RGBA [B, 4, h, w] from 0 to 1 of a latent, with this alpha [B, 1, ·, ·]."""
        weight = next(self._network.parameters())
        small = quickly_decoded(latent).to(weight)
        pixels = self._network.decode(small, return_dict=False)[0].float()
        whole = [side * _PIXELS for side in latent.shape[-2:]]
        scale = min(1.0, LARGEST / max(whole))
        sides = [max(1, round(side * scale)) for side in whole]
        colour = (interpolate(pixels, sides, mode="area") * 0.5 + 0.5).clamp(0, 1)
        wide = interpolate(alpha.float(), sides, mode="bilinear")
        return torch.cat([colour, wide.to(colour.device)], dim=1)


def tiny_decoder(
    family: str, channels: int, device: torch.device, dtype: torch.dtype
) -> TinyDecoder | None:
    """The one of a family if it is here and sound; a line in the log where it is not sound."""
    place = located_file(REPOSITORIES.get(family, ""), WEIGHTS) if family in REPOSITORIES else None
    if place is None:
        return None
    try:
        network = _read(place.parent, dtype)
    except (*MALFORMED, AcetateError, OSError, RuntimeError) as error:
        log.warning("previews are made without %s: %s", REPOSITORIES[family], error)
        return None
    if cast("Any", network).config["latent_channels"] != channels:
        return None
    return TinyDecoder(network, device)


def _read(folder: Path, dtype: torch.dtype) -> AutoencoderTiny:
    """Raises ModelMissing or ModelDamaged, or what diffusers raises."""
    read_network_config(folder / "config.json")
    read_header(folder / WEIGHTS)
    kind: Any = AutoencoderTiny
    return kind.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, torch_dtype=dtype
    )
