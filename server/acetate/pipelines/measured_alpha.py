"""Which alpha an autoencoder with four channels was trained on, measured by what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.autoencoder_kl_qwenimage import AutoencoderKLQwenImage
from torch import Tensor

from acetate.images.alpha_kind import AlphaKind, alpha_kind
from acetate.models.rgba_adapter import RgbaAdapter
from acetate.pipelines.adapted_base import AUTOENCODERS
from acetate.pipelines.published_network import read_network

_SIDE = 256
_SOFTNESS = 40
"""Pixels over which the edge of the shown discs fades: several places of any latent."""
_COLOURS = ((0.95, 0.35, 0.2), (0.3, 0.75, 0.95))


def alpha_of_adapter(adapter: RgbaAdapter) -> AlphaKind | None:
    """That of a widened autoencoder; a decoder of alpha beside another shows no colours by itself.

    Raises ModelMissing or ModelDamaged.
    """
    if adapter.vae is None:
        return None
    kind = AUTOENCODERS.get(adapter.family, AutoencoderKL)
    vae = read_network(kind, adapter.vae, torch.float32, torch.device("cpu"))
    if isinstance(vae, AutoencoderKLQwenImage):
        return alpha_of_frames(vae)
    return measured_alpha(lambda shown: _there_and_back(vae, shown))


def alpha_of_frames(vae: Any) -> AlphaKind | None:
    """That of an autoencoder of films, shown films of one picture."""
    return measured_alpha(lambda shown: _there_and_back(vae, shown[:, :, None])[:, :, 0])


def _there_and_back(vae: Any, shown: Tensor) -> Tensor:
    latent = vae.encode(shown * 2 - 1).latent_dist.mode()
    return vae.decode(latent, return_dict=False)[0] * 0.5 + 0.5


@torch.inference_mode()
def measured_alpha(round_trip: Callable[[Tensor], Tensor]) -> AlphaKind | None:
    """The kind of `round_trip`, which encodes and decodes [B, 4, H, W] in [0, 1].

    It is shown the same soft discs in both kinds. One that was trained on one kind brings the other
    to it; one that gives back both as they came, or neither, tells nothing: None.
    """
    straight = _discs()
    multiplied = torch.cat([straight[:, :3] * straight[:, 3:], straight[:, 3:]], dim=1)
    first = alpha_kind(round_trip(straight).clamp(0, 1))
    return first if first == alpha_kind(round_trip(multiplied).clamp(0, 1)) else None


def _discs() -> Tensor:
    """Straight soft discs of even colours, which go on where nothing is seen of them."""
    at = torch.arange(_SIDE) - (_SIDE - 1) / 2
    away = (at[:, None] ** 2 + at**2).sqrt()
    alpha = ((_SIDE * 0.36 - away) / _SOFTNESS + 0.5).clamp(0, 1)
    colours = torch.tensor(_COLOURS)[:, :, None, None].expand(-1, -1, _SIDE, _SIDE)
    return torch.cat([colours, alpha.expand(len(_COLOURS), 1, -1, -1)], dim=1)
