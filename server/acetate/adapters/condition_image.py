"""Making any picture a condition of the size that is painted: on mid grey, then resized."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from acetate.latent_transparency import composite_on_grey
from acetate.latent_transparency.resampling import resample

Fit = Literal["stretch", "crop", "fill"]


def condition_image(rgba: Tensor, height: int, width: int, fit: Fit = "crop") -> Tensor:
    """Straight [B, 4, H, W] in [0, 1] to [B, 3, height, width] on mid grey.

    "stretch" ignores the proportions; "crop" covers the frame and cuts off what is over at both
    sides; "fill" shows everything and fills the rest with the median colour of the border. The
    kernels are those of the published code: area for shrinking, Lanczos for enlarging, whose
    overshoot is not clipped.
    """
    picture = composite_on_grey(rgba)
    tall, wide = picture.shape[-2:]
    if fit == "stretch":
        return _resized(picture, height, width)
    ratios = height / tall, width / wide
    ratio = max(ratios) if fit == "crop" else min(ratios)
    resized = _resized(picture, round(tall * ratio), round(wide * ratio))
    tall, wide = resized.shape[-2:]
    if fit == "crop":
        top, left = max(0, (tall - height) // 2), max(0, (wide - width) // 2)
        return resized[..., top : top + height, left : left + width]
    top, left = max(0, (height - tall) // 2), max(0, (width - wide) // 2)
    frame = _border_colour(picture).expand(-1, -1, height, width).clone()
    frame[..., top : top + tall, left : left + wide] = resized
    return frame


def _resized(picture: Tensor, height: int, width: int) -> Tensor:
    shrinks = height * width < picture.shape[-2] * picture.shape[-1]
    return resample(picture, height, width, "area" if shrinks else "lanczos4")


def _border_colour(picture: Tensor) -> Tensor:
    """Median of all border pixels, channel by channel: [B, 3, 1, 1]."""
    edges = (picture[..., 0, :], picture[..., -1, :], picture[..., 0], picture[..., -1])
    border = torch.cat(edges, dim=-1)
    ordered = border.sort(dim=-1).values
    last = border.shape[-1] - 1
    middle = (ordered[..., last // 2] + ordered[..., (last + 1) // 2]) / 2
    return middle[..., None, None]
