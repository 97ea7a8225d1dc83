"""Growing images to the sides that a network can take."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn import functional


def next_multiple(side: int, multiple: int) -> int:
    """The smallest multiple of `multiple` that is not below `side`."""
    return -(-side // multiple) * multiple


def pad_to_multiple(image: Tensor, multiple: int, fill: Literal["transparent", "edge"]) -> Tensor:
    """Grow [B, C, H, W] to the right and below; the original is the top left corner.

    "transparent" adds zeros (for RGBA), "edge" repeats the border pixels.
    """
    height, width = image.shape[-2:]
    right = next_multiple(width, multiple) - width
    below = next_multiple(height, multiple) - height
    if not right and not below:
        return image
    mode = "replicate" if fill == "edge" else "constant"
    return functional.pad(image, (0, right, 0, below), mode=mode)
