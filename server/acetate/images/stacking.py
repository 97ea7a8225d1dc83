"""A layer over another."""

from __future__ import annotations

from acetate_bridge.protocol.types import Image


def stack(front: Image, back: Image) -> Image:
    """A straight-alpha layer over another of the same size, with the depth of the front."""
    import torch

    from acetate.images.tensors import bleed, to_image, to_tensor

    over, under = to_tensor(front), to_tensor(back)
    shown = under[:, 3:] * (1 - over[:, 3:])
    alpha = over[:, 3:] + shown
    colour = (over[:, :3] * over[:, 3:] + under[:, :3] * shown) / alpha.clamp_min(1e-6)
    return to_image(bleed(torch.cat([colour, alpha], dim=1)), front.format)
