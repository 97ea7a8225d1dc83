"""What Qwen3-VL reads: the authors' frame around a prompt, and pictures as patches in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from acetate.pipelines.reader_marks import without_marks

_SYSTEM = "<|im_start|>system\nComprehend and analyze the provided prompt.<|im_end|>\n"
"""Of the frame; the denoiser gets only what comes after it."""

_ANSWER = "<|im_end|>\n<|im_start|>assistant\n"
_PAD = "<|image_pad|>"
PATCH, MERGED = 16, 2
"""Pixels of a patch's side, and how many patches each way become one token."""


def transparent_words(prompt: str) -> str:
    """A prompt in the words that the authors ask for transparency with."""
    words = prompt.strip().rstrip(".")
    return (
        f"This is an RGBA image with transparency. {words}. "
        "The image has alpha channel and the background is transparent."
    )


@dataclass(frozen=True)
class Reading:
    """One prompt for the text encoder.

    `text` is all of it, `skipped` the part in front that is not handed on. `patches`
    [N, 3 × 2 × 16 × 16] are those of all pictures, `grids` [pictures, 3] their counts in time,
    height and width; both None without pictures.
    """

    text: str
    skipped: str
    patches: Tensor | None = None
    grids: Tensor | None = None


def read(prompt: str, pictures: Sequence[Tensor] = ()) -> Reading:
    """Frame a prompt that may speak of pictures, straight [1, 4, H, W], as <image1>, <image2>, …

    Sides are multiples of 32. Transparency is shown to the encoder over white, as it was trained.
    """
    # Without any word the encoder would have nothing to read.
    words = without_marks(prompt) or " "
    seen = " ".join(
        f"<image{number}><|vision_start|>{_PAD * _slots(picture)}<|vision_end|>"
        for number, picture in enumerate(pictures, 1)
    )
    text = f"{_SYSTEM}<|im_start|>user\n{seen}{words}{_ANSWER}"
    if not pictures:
        return Reading(text, _SYSTEM)
    grids = [[1, picture.shape[-2] // PATCH, picture.shape[-1] // PATCH] for picture in pictures]
    patches = torch.cat([_patches(_over_white(picture)) for picture in pictures])
    return Reading(text, _SYSTEM, patches, torch.tensor(grids))


def _slots(picture: Tensor) -> int:
    side = PATCH * MERGED
    return (picture.shape[-2] // side) * (picture.shape[-1] // side)


def _over_white(rgba: Tensor) -> Tensor:
    alpha = rgba[:, 3:]
    return rgba[:, :3] * alpha + 1 - alpha


def _patches(rgb: Tensor) -> Tensor:
    """[1, 3, H, W] in [0, 1] as Qwen2-VL's image processor lays it out: 2 × 2 patches together.

    Each is there twice, as for two frames of a film.
    """
    rows, columns = (side // PATCH // MERGED for side in rgb.shape[-2:])
    split = (rgb[0] * 2 - 1).reshape(3, rows, MERGED, PATCH, columns, MERGED, PATCH)
    ordered = split.permute(1, 4, 2, 5, 0, 3, 6)
    twice = ordered[:, :, :, :, :, None].expand(-1, -1, -1, -1, -1, 2, -1, -1)
    return twice.reshape(rows * columns * MERGED**2, -1)
