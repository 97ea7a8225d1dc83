"""What a denoiser that was trained to fill holes reads beside the noisy latent.

Nine channels: the noisy latent, the mask (1 where something is to be painted), and the latent of
the picture with mid grey in the hole (Stable Diffusion in-painting, RunwayML; SDXL in-painting,
diffusers). Where nothing is given the hole is the whole picture, which is how such a base paints
from words alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

CHANNELS = 9


@dataclass(frozen=True)
class Hole:
    """`mask` [1, 1, h, w] is 1 inside the hole; `around` [1, 4, h, w] is a scaled latent."""

    mask: Tensor
    around: Tensor


def hole_in(picture: Tensor, mask: Tensor, factor: int, encode: Callable[[Tensor], Tensor]) -> Hole:
    """The hole of a picture [1, 3, H, W] in [0, 1] under a mask [1, 1, H, W], 1 inside."""
    solid = (mask > 0.5).to(picture)
    around = encode(picture * (1 - solid) + 0.5 * solid)
    height, width = (side // factor for side in picture.shape[-2:])
    small = nn.functional.interpolate(solid, (height, width), mode="nearest")
    return Hole(small.to(around), around)


def whole_hole(height: int, width: int, encode: Callable[[Tensor], Tensor]) -> Hole:
    """A hole as large as a picture of these sides in pixels."""
    grey = torch.full((1, 3, height, width), 0.5)
    around = encode(grey)
    return Hole(torch.ones_like(around[:, :1]), around)


def beside(latent: Tensor, hole: Hole) -> Tensor:
    """A noisy latent [B, 4, h, w] with the hole beside it: [B, 9, h, w]."""
    count = len(latent)
    mask, around = (each.expand(count, -1, -1, -1).to(latent) for each in (hole.mask, hole.around))
    return torch.cat([latent, mask, around], dim=1)
