"""A layer over another."""

from __future__ import annotations

from acetate_bridge.protocol.types import Image


def stack(front: Image, back: Image) -> Image:
    """A straight-alpha layer over another of the same size, with the depth of the front."""
    from acetate.images.tensors import bleed, over, to_image, to_tensor

    return to_image(bleed(over(to_tensor(front), to_tensor(back))), front.format)
