"""What colour a transparent pixel has: smooth fill for the encoder, mid grey for the diffusion."""

from __future__ import annotations

import torch
from torch import Tensor

from acetate.latent_transparency.resampling import resample

GREY = 0.5
_SHRINK = 1.2
"""Ratio between two levels of the fill pyramid, as in the published preparation of the data."""


def pad_colour(rgba: Tensor) -> Tensor:
    """Continue the visible colour smoothly under transparency.

    Takes straight [B, 4, H, W] in [0, 1] and returns [B, 3, H, W]: premultiplied colour plus
    fill, which is the colour itself where alpha is 1. An empty image becomes black. From coarse
    to fine, each level of a pyramid shows through the transparent part of the next.
    """
    alpha = rgba[:, 3:]
    if bool((alpha == 1).all()):
        return rgba[:, :3].clone()
    levels = [(rgba[:, :3] * alpha, alpha)]
    while min(levels[-1][1].shape[-2:]) > 1:
        colour, alpha = levels[-1]
        height, width = (int(side / _SHRINK) for side in alpha.shape[-2:])
        levels.append(
            (resample(colour, height, width, "area"), resample(alpha, height, width, "area"))
        )
    colour, alpha = levels[-1]
    fill = colour.sum((-2, -1), keepdim=True) / alpha.sum((-2, -1), keepdim=True).clamp_min(1e-8)
    for colour, alpha in reversed(levels):
        height, width = colour.shape[-2:]
        fill = resample(fill, height, width, "linear")
        fill = colour + fill * (1 - alpha)
    return fill


def composite_on_grey(rgba: Tensor) -> Tensor:
    """Lay straight [B, 4, H, W] in [0, 1] on the mid grey that the diffusion space lives on.

    Returns [B, 3, H, W]. Any other backdrop would come back as a halo.
    """
    return GREY + (rgba[:, :3] - GREY) * rgba[:, 3:]


def composite_over(rgba: Tensor, backdrop: Tensor) -> Tensor:
    """Straight [B, 4, H, W] over an opaque backdrop [B, 3, H, W], both in [0, 1]."""
    return backdrop + (rgba[:, :3] - backdrop) * rgba[:, 3:]


def checkerboard(height: int, width: int, cell: int = 64) -> Tensor:
    """The [1, 3, height, width] pattern that shows transparency: tones 0.45 and 0.55."""
    rows = torch.arange(height) // cell
    columns = torch.arange(width) // cell
    odd = (rows[:, None] + columns) % 2
    return (0.45 + 0.1 * odd).expand(1, 3, height, width)
