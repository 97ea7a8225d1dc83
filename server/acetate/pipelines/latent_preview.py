"""A picture of a latent without a decoder: for each place, colour and alpha by a linear map.

It begins with the maps that the field uses (Comfy-Org/ComfyUI, `comfy/latent_formats.py`), which
know colour alone. Every layer that is really decoded then shows what its latent looked like, and
the map is fitted to all of them: from the second layer of a model on, previews have its alpha, too.
Where a tiny autoencoder is here, the colour is its.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.nn.functional import interpolate, unfold

from acetate.pipelines.tiny_decoder import TinyDecoder

_SD15 = (
    (0.3512, 0.2297, 0.3227),
    (0.3250, 0.4974, 0.2350),
    (-0.2829, 0.1762, 0.2721),
    (-0.2120, -0.2616, -0.7177),
)
_SDXL = (
    (0.3651, 0.4232, 0.4341),
    (-0.2533, -0.0042, 0.1068),
    (0.1076, 0.1111, -0.0362),
    (-0.3165, -0.2492, -0.2188),
)
_FLUX = (
    (-0.0346, 0.0244, 0.0681),
    (0.0034, 0.0210, 0.0687),
    (0.0275, -0.0668, -0.0433),
    (-0.0174, 0.0160, 0.0617),
    (0.0859, 0.0721, 0.0329),
    (0.0004, 0.0383, 0.0115),
    (0.0405, 0.0861, 0.0915),
    (-0.0236, -0.0185, -0.0259),
    (-0.0245, 0.0250, 0.1180),
    (0.1008, 0.0755, -0.0421),
    (-0.0515, 0.0201, 0.0011),
    (0.0428, -0.0012, -0.0036),
    (0.0817, 0.0765, 0.0749),
    (-0.1264, -0.0522, -0.1103),
    (-0.0280, -0.0881, -0.0499),
    (-0.1262, -0.0982, -0.0778),
)
FIELD = {
    "sd15": (_SD15, (0.0, 0.0, 0.0)),
    "sdxl": (_SDXL, (0.1084, -0.0175, -0.0011)),
    "flux": (_FLUX, (-0.0329, -0.0718, -0.0851)),
}
"""By family: a row for each channel of the scaled latent, and what is added; colour is -1 to 1."""

_AROUND = 3
"""The map reads the latent at a place and at its eight neighbours."""
_RIDGE = 1e-3
_FADE = 0.5
"""How much what was seen before counts against one more layer."""
_VISIBLE = 0.02


class LatentPreview:
    """The map of one model; `see` and `learn` take scaled latents [B, C, h, w]."""

    def __init__(self, family: str, tiny: TinyDecoder | None = None) -> None:
        self._tiny = tiny
        self._field = FIELD.get(family)
        self._colour: tuple[Tensor, Tensor] | None = None
        self._alpha: tuple[Tensor, Tensor] | None = None

    def see(self, latent: Tensor) -> Tensor:
        """Straight RGBA from 0 to 1, of the latent's size; larger by a tiny autoencoder."""
        seen = self._by_map(latent)
        return seen if self._tiny is None else self._tiny.see(latent, seen[:, 3:])

    def _by_map(self, latent: Tensor) -> Tensor:
        if self._colour is None or self._alpha is None:
            return self._by_field(latent.float())
        features = _features(latent)
        parts = [_solved(self._colour), _solved(self._alpha)]
        seen: Tensor = torch.cat([features @ part.to(features) for part in parts], dim=-1)
        height, width = latent.shape[-2:]
        return seen.mT.reshape(len(latent), -1, height, width).clamp(0, 1)

    def learn(self, latent: Tensor, rgba: Tensor) -> None:
        """What a latent was decoded to, in straight RGBA [B, 4, H, W]."""
        if not (torch.isfinite(latent).all() and torch.isfinite(rgba).all()):
            return
        small = _small(rgba.float(), tuple(latent.shape[-2:]))
        features = _features(latent).flatten(0, 1)
        target = small.flatten(2).mT.flatten(0, 1)
        alpha = target[:, 3:]
        # Colour counts where it can be seen.
        weight = alpha * (alpha > _VISIBLE)
        self._colour = _grown(self._colour, features, target[:, :3], weight)
        self._alpha = _grown(self._alpha, features, alpha, torch.ones_like(alpha))

    def _by_field(self, latent: Tensor) -> Tensor:
        if self._field is None or len(self._field[0]) != latent.shape[1]:
            grey = (latent.mean(dim=1, keepdim=True) * 0.18 + 0.5).clamp(0, 1)
            return torch.cat([grey.expand(-1, 3, -1, -1), torch.ones_like(grey)], dim=1)
        rows = torch.tensor(self._field[0]).to(latent)
        bias = torch.tensor(self._field[1]).to(latent)[:, None, None]
        colour = torch.einsum("bchw,cr->brhw", latent, rows) + bias
        colour = (colour / 2 + 0.5).clamp(0, 1)
        return torch.cat([colour, torch.ones_like(colour[:, :1])], dim=1)


def _features(latent: Tensor) -> Tensor:
    """What the map reads, [B, h·w, 9·C + 1]; kept in range, so that one outlier bends nothing."""
    padded = torch.nn.functional.pad(latent.float().clamp(-12, 12), (1, 1, 1, 1), mode="replicate")
    read = unfold(padded, _AROUND).mT
    return torch.cat([read, torch.ones_like(read[..., :1])], dim=-1)


def _small(rgba: Tensor, size: tuple[int, ...]) -> Tensor:
    """A layer at the size of its latent, its colour weighted by its alpha."""
    alpha = rgba[:, 3:]
    premultiplied = torch.cat([rgba[:, :3] * alpha, alpha], dim=1)
    small = interpolate(premultiplied, size, mode="area")
    return torch.cat([small[:, :3] / small[:, 3:].clamp_min(1e-4), small[:, 3:]], dim=1)


def _grown(
    known: tuple[Tensor, Tensor] | None, features: Tensor, target: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor]:
    """Both sides of the normal equations with one more layer in them, on the CPU."""
    weighted = (features * weight).mT
    # Moved first: Apple's graphics know no numbers of 64 bits.
    left, right = (weighted @ features).cpu().double(), (weighted @ target).cpu().double()
    if known is None or known[0].shape != left.shape:
        return left, right
    return known[0] * _FADE + left, known[1] * _FADE + right


def _solved(known: tuple[Tensor, Tensor]) -> Tensor:
    """The map that fits best."""
    left, right = known
    ridge = _RIDGE * left.diagonal().mean().clamp_min(1e-6) * torch.eye(len(left)).to(left)
    algebra = cast("Any", torch.linalg)  # Of no declared types.
    solved: Tensor = algebra.solve(left + ridge, right)
    return solved.float()
