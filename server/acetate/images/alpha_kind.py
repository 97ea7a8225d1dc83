"""Straight or premultiplied alpha, told from decoded pictures.

At a soft edge a straight picture has the colour of what is solid beside it; a premultiplied one
has that colour times alpha, which goes towards black.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from acetate.latent_transparency import pad_colour

AlphaKind = Literal["straight", "premultiplied"]

_SOLID = 0.97
"""Alpha at which a colour is itself in both kinds."""
_SOFT = (0.15, 0.85)
"""Alphas at which the two kinds differ and a colour still shows."""
_TOLD = 0.1
"""Least difference, of 1, between the two colours of a pixel for it to count."""
_FEWEST = 64
"""Pixels below which nothing is told."""
_NEAR = 0.25
"""How far the middle pixel, and half of them from it, may be from a kind."""


@torch.inference_mode()
def alpha_kind(pictures: Tensor) -> AlphaKind | None:
    """The kind of decoded pictures [B, 4, H, W] in [0, 1]; None where they do not tell.

    Each soft pixel says how far it went from the solid colour beside it, 0, to that colour times
    its alpha, 1; the median of all counts. Dark and opaque pictures tell nothing.
    """
    rgb, alpha = pictures[:, :3].float(), pictures[:, 3:].float()
    solid = (alpha >= _SOLID).float()
    if not bool(solid.any()):
        return None
    whole = pad_colour(torch.cat([rgb, solid], dim=1))
    step = whole * (1 - alpha)
    length = step.square().sum(dim=1, keepdim=True)
    # Of a batch, those without anything solid have no colour to go by.
    begun = solid.amax(dim=(2, 3), keepdim=True) > 0
    telling = (alpha > _SOFT[0]) & (alpha < _SOFT[1]) & (length.sqrt() >= _TOLD) & begun
    if int(telling.sum()) < _FEWEST:
        return None
    gone = ((whole - rgb) * step).sum(dim=1, keepdim=True) / length.clamp_min(1e-6)
    shares = gone[telling]
    middle = shares.median()
    if float((shares - middle).abs().median()) > _NEAR:
        return None
    if abs(float(middle)) <= _NEAR:
        return "straight"
    return "premultiplied" if abs(float(middle) - 1) <= _NEAR else None
