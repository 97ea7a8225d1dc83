"""Layers brought to one size: fitted whole, or cut at random around what is seen."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from acetate.training.collection.entries import Pixels


def fitted(pixels: Pixels, side: int) -> Pixels:
    """The whole layer, as large as fits, in the middle of a clear square."""
    height, width = pixels.shape[:2]
    share = side / max(height, width)
    size = max(1, round(width * share)), max(1, round(height * share))
    small = resized(pixels, *size)
    frame = np.zeros((side, side, 4), np.uint8)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    frame[top : top + size[1], left : left + size[0]] = small
    return frame


def cut(pixels: Pixels, side: int, random: np.random.Generator) -> Pixels:
    """A square of a layer at a random scale, mirrored or not, around a pixel that is seen."""
    if random.random() < 0.5:
        pixels = pixels[:, ::-1]
    height, width = pixels.shape[:2]
    # From the whole layer to a view at twice the size of the square.
    share = side / max(height, width) * float(random.uniform(1, 2))
    pixels = resized(pixels, max(1, round(width * share)), max(1, round(height * share)))
    height, width = pixels.shape[:2]
    rows, columns = np.nonzero(pixels[..., 3] > 8)
    pick = int(random.integers(len(rows))) if len(rows) else 0
    middle = (rows[pick], columns[pick]) if len(rows) else (height // 2, width // 2)
    room = max(0, side - height), max(0, side - width)
    padded = np.pad(pixels, ((room[0] // 2, room[0]), (room[1] // 2, room[1]), (0, 0)))
    shift = random.integers(-side // 4, side // 4 + 1, 2)
    top = int(np.clip(middle[0] + room[0] // 2 - side // 2 + shift[0], 0, len(padded) - side))
    left = int(np.clip(middle[1] + room[1] // 2 - side // 2 + shift[1], 0, padded.shape[1] - side))
    return np.ascontiguousarray(padded[top : top + side, left : left + side])


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """Another size, colour weighted by alpha (Pillow's RGBa mode)."""
    if (height, width) == pixels.shape[:2]:
        return np.ascontiguousarray(pixels)
    picture = Image.fromarray(np.ascontiguousarray(pixels)).convert("RGBa")
    return np.array(picture.resize((width, height), Image.Resampling.LANCZOS).convert("RGBA"))


def as_tensor(pixels: Pixels) -> Tensor:
    """Straight [4, H, W] in [0, 1]."""
    return torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)  # pyright: ignore[reportUnknownMemberType]
