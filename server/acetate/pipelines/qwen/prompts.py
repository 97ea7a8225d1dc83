"""What Qwen2.5-VL reads: the authors' frames around a prompt, and pictures as patches in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from PIL import Image as Pillow
from torch import Tensor
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from acetate.pipelines.reader_marks import without_marks

_FRAME = "<|im_start|>system\n{}<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
_DESCRIBE = (
    "Describe the image by detailing the color, shape, size, texture, quantity, text, spatial "
    "relationships of the objects and background:"
)
_CHANGE = (
    "Describe the key features of the input image (color, shape, size, texture, objects, "
    "background), then explain how the user's text instruction should alter or modify the image. "
    "Generate a new image that meets the user's requirements while maintaining consistency with "
    "the original input where appropriate."
)
_SKIPPED = {False: 34, True: 64}
"""Tokens in front that the denoiser is not handed, of the frames without and with pictures."""

_PAD = "<|image_pad|>"
_SEEN = 384 * 384
"""About as many pixels of a picture are read; the denoiser sees all of it beside."""
_MULTIPLE = 32


@dataclass(frozen=True)
class Reading:
    """One prompt for the text encoder, and how many of its tokens are not handed on.

    `patches` [N, 3 × 2 × 14 × 14] are those of all pictures, `grids` [pictures, 3] their counts in
    time, height and width; both None without pictures.
    """

    text: str
    skipped: int
    patches: Tensor | None = None
    grids: Tensor | None = None


def read(prompt: str, pictures: Sequence[Tensor] = (), *, edits: bool = False) -> Reading:
    """Frame a prompt that may speak of pictures, straight [1, 4, H, W], as <image1>, <image2>, …

    `edits` takes the frame of the model that changes pictures. Transparency is shown over white.
    """
    words = re.sub(r"<image(\d+)>", r"Picture \1", without_marks(prompt)) or " "
    patches = grids = None
    shown = ""
    if pictures:
        found = cast("Any", Qwen2VLImageProcessorPil)(
            size={"shortest_edge": 56 * 56, "longest_edge": 12845056}
        )([_small(picture) for picture in pictures], return_tensors="pt")
        patches, grids = found["pixel_values"], found["image_grid_thw"]
        for number, grid in enumerate(grids, 1):
            slots = _PAD * (int(grid.prod()) // 4)
            shown += f"Picture {number}: <|vision_start|>{slots}<|vision_end|>"
    text = _FRAME.format(_CHANGE if edits else _DESCRIBE, shown + words)
    return Reading(text, _SKIPPED[edits], patches, grids)


def _small(rgba: Tensor) -> Pillow.Image:
    """As the published pipeline brings it to the text encoder."""
    alpha = rgba[0, 3:]
    over_white = (rgba[0, :3] * alpha + 1 - alpha).clamp(0, 1)
    picture = Pillow.fromarray((over_white * 255).round().byte().permute(1, 2, 0).cpu().numpy())
    ratio = picture.width / picture.height
    across = (_SEEN * ratio) ** 0.5
    sides = (round(side / _MULTIPLE) * _MULTIPLE for side in (across, across / ratio))
    width, height = (max(_MULTIPLE, side) for side in sides)
    return picture.resize((width, height), Pillow.Resampling.LANCZOS)


def image_slots(ids: Tensor, mark: int) -> Tensor:
    """Which tokens stand for a piece of a picture, as 1; others are 0."""
    return (ids == mark).to(torch.int32)
