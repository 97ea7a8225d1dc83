"""Images as the models see them: float tensors in [0, 1]."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from acetate.latent_transparency import pad_colour
from acetate_bridge.protocol.types import Image, PixelFormat

_SAMPLES: dict[PixelFormat, np.dtype] = {"rgba8": np.dtype("u1"), "rgba16": np.dtype("<u2")}
_INVISIBLE = 0.5 / 255
"""Alpha that an 8-bit picture rounds to nothing."""


def to_tensor(image: Image) -> Tensor:
    """Straight-alpha [1, 4, H, W] in [0, 1]."""
    dtype = _SAMPLES[image.format]
    samples = np.frombuffer(image.data, dtype).reshape(image.height, image.width, 4)
    scaled = samples.astype(np.float32) / np.iinfo(dtype).max
    return torch.as_tensor(scaled).permute(2, 0, 1)[None]


def to_image(rgba: Tensor, pixel_format: PixelFormat = "rgba8") -> Image:
    """The image of straight-alpha [1, 4, H, W] in [0, 1], rounded to the nearest sample."""
    dtype = _SAMPLES[pixel_format]
    height, width = rgba.shape[-2:]
    # In double precision, as single precision cannot tell the uppermost 16-bit values apart.
    scaled = rgba[0].permute(1, 2, 0).cpu().double().clamp(0, 1) * float(np.iinfo(dtype).max)
    return Image(width, height, scaled.round().numpy().astype(dtype).tobytes(), pixel_format)


def opaque(rgb: Tensor) -> Tensor:
    """[B, 3, H, W] with full alpha added."""
    return torch.cat([rgb, torch.ones_like(rgb[:, :1])], dim=1)


def over(front: Tensor, back: Tensor) -> Tensor:
    """Straight [B, 4, H, W], one on the other."""
    cover, under = front[:, 3:], back[:, 3:] * (1 - front[:, 3:])
    alpha = cover + under
    colour = (front[:, :3] * cover + back[:, :3] * under) / alpha.clamp_min(1e-6)
    return torch.cat([colour, alpha], dim=1)


def bleed(rgba: Tensor) -> Tensor:
    """Continue the visible colour smoothly where nothing is visible.

    Painting on the layer later, or scaling it, then shows no halo. Visible pixels stay as they
    are. Takes and returns straight-alpha [B, 4, H, W] in [0, 1].
    """
    alpha = rgba[:, 3:]
    visible = alpha >= _INVISIBLE
    if bool(visible.all()):
        return rgba
    fill = pad_colour(torch.cat([rgba[:, :3], alpha * visible], dim=1))
    return torch.cat([torch.where(visible, rgba[:, :3], fill), alpha], dim=1)


def blended(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """Two straight layers mixed by how much they show; `share` 1 is the second."""
    alpha = torch.lerp(first[:, 3:], second[:, 3:], share)
    mixed = torch.lerp(first[:, :3] * first[:, 3:], second[:, :3] * second[:, 3:], share)
    plain = torch.lerp(first[:, :3], second[:, :3], share)
    colour = torch.where(alpha > 1e-3, mixed / alpha.clamp_min(1e-3), plain)
    return torch.cat([colour.clamp(0, 1), alpha], dim=1)
