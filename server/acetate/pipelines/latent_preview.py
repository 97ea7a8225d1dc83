"""A picture of a latent without a decoder: for each place, colour and alpha by a linear map.

It begins with the maps that the field uses, which know colour alone; alpha is then that of a much
smaller latent where a model's own decoder can be asked for it. Every layer that is really decoded
shows what its latent looked like, and the map is fitted to all of them: from the second layer of a
model on, previews have its alpha, too. Where a tiny autoencoder is here, the colour is its.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn.functional import interpolate, unfold

from acetate.pipelines.latent_colours import FIELD
from acetate.pipelines.tiny_decoder import TinyDecoder

_AROUND = 3
"""The map reads the latent at a place and at its eight neighbours."""
_RIDGE = 1e-3
_FADE = 0.5
"""How much what was seen before counts against one more layer."""
_VISIBLE = 0.02
_SMALL = 16
"""Longest side of the latent that is decoded for want of a map."""


class LatentPreview:
    """The map of one model; `see` and `learn` take scaled latents [B, C, h, w]."""

    def __init__(self, family: str, tiny: TinyDecoder | None = None) -> None:
        self._tiny = tiny
        self._field = FIELD.get(family)
        self._colour: tuple[Tensor, Tensor] | None = None
        self._alpha: tuple[Tensor, Tensor] | None = None
        self._maps: list[Tensor] | None = None

    def see(self, latent: Tensor, decoded: Callable[[], Tensor] | None = None) -> Tensor:
        """Straight RGBA from 0 to 1, of the latent's size; larger by a tiny autoencoder.

        `decoded` gives what `shrunk(latent)` decodes to. It is asked for as long as no layer has
        been learnt from: for alpha, and for colour where the field has no map of such latents.
        """
        seen = self._by_map(latent, decoded)
        return seen if self._tiny is None else self._tiny.see(latent, seen[:, 3:])

    def _by_map(self, latent: Tensor, decoded: Callable[[], Tensor] | None) -> Tensor:
        if self._colour is None or self._alpha is None:
            return self._unlearnt(latent.float(), decoded)
        if self._maps is None:
            self._maps = [
                _solved(self._colour, self._expected(latent.shape[1])),
                _solved(self._alpha, torch.zeros_like(self._alpha[1])),
            ]
        features = _features(latent)
        seen: Tensor = torch.cat([features @ part.to(features) for part in self._maps], dim=-1)
        height, width = latent.shape[-2:]
        return seen.mT.reshape(len(latent), -1, height, width).clamp(0, 1)

    def learn(self, latent: Tensor, rgba: Tensor) -> None:
        """What a latent was decoded to, in straight RGBA [B, 4, H, W]."""
        if not (torch.isfinite(latent).all() and torch.isfinite(rgba).all()):
            return
        small = _small(rgba.float(), tuple(latent.shape[-2:]))
        features = _features(latent.to(small)).flatten(0, 1)
        target = small.flatten(2).mT.flatten(0, 1)
        alpha = target[:, 3:]
        # Colour counts where it can be seen.
        weight = alpha * (alpha > _VISIBLE)
        self._colour = _grown(self._colour, features, target[:, :3], weight)
        self._alpha = _grown(self._alpha, features, alpha, torch.ones_like(alpha))
        self._maps = None

    def _unlearnt(self, latent: Tensor, decoded: Callable[[], Tensor] | None) -> Tensor:
        if decoded is None:
            return self._by_field(latent)
        small = decoded()
        if not self._in_the_field(latent):
            return small
        alpha = interpolate(small[:, 3:].to(latent), latent.shape[-2:], mode="area")
        return torch.cat([self._by_field(latent)[:, :3], alpha], dim=1)

    def _expected(self, channels: int) -> Tensor:
        """The map for colours that no layer has shown yet: the field's, or none."""
        rows = torch.zeros(channels, _AROUND**2, 3, dtype=torch.float64)
        middle = torch.full((1, 3), 0.5 if self._field else 0.0, dtype=torch.float64)
        if self._field is not None and len(self._field[0]) == channels:
            rows[:, _AROUND**2 // 2] = torch.tensor(self._field[0], dtype=torch.float64) / 2
            middle += torch.tensor(self._field[1], dtype=torch.float64) / 2
        return torch.cat([rows.flatten(0, 1), middle])

    def _in_the_field(self, latent: Tensor) -> bool:
        return self._field is not None and len(self._field[0]) == latent.shape[1]

    def _by_field(self, latent: Tensor) -> Tensor:
        if self._field is None or not self._in_the_field(latent):
            grey = (latent.mean(dim=1, keepdim=True) * 0.18 + 0.5).clamp(0, 1)
            return torch.cat([grey.expand(-1, 3, -1, -1), torch.ones_like(grey)], dim=1)
        rows = torch.tensor(self._field[0]).to(latent)
        bias = torch.tensor(self._field[1]).to(latent)[:, None, None]
        colour = torch.einsum("bchw,cr->brhw", latent, rows) + bias
        colour = (colour / 2 + 0.5).clamp(0, 1)
        return torch.cat([colour, torch.ones_like(colour[:, :1])], dim=1)


def shrunk(latent: Tensor) -> Tensor:
    """A latent [B, C, h, w] so small that to decode it takes no time worth speaking of."""
    scale = min(1.0, _SMALL / max(latent.shape[-2:]))
    sides = [max(1, round(side * scale)) for side in latent.shape[-2:]]
    return interpolate(latent, sides, mode="area")


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


def _solved(known: tuple[Tensor, Tensor], expected: Tensor) -> Tensor:
    """The map that fits best, and is the expected one where nothing was seen."""
    left, right = known
    ridge = _RIDGE * left.diagonal().mean().clamp_min(1e-6) * torch.eye(len(left)).to(left)
    algebra = cast("Any", torch.linalg)  # Of no declared types.
    solved: Tensor = algebra.solve(left + ridge, right + ridge @ expected)
    return solved.float()
