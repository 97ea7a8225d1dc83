"""How close generated layers lie to the pictures that the model was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from acetate.embedded.sheet import SHEET
from acetate.pipelines.pipeline import Pipeline

from .dataset import PictureSet
from .samples import paint_layer

SIDE = 32


@dataclass(frozen=True)
class Neighbour:
    """The nearest training picture of one sample and the distance to it.

    Distances are root mean square differences of premultiplied RGBA at 32 × 32, 0 to 1.
    """

    row: int
    distance: float


def thumbnails(pixels: NDArray[np.uint8], rows: NDArray[np.int64]) -> Tensor:
    """Premultiplied thumbnails [N, 4 × 32 × 32] of some rows."""
    small: list[Tensor] = []
    for row in rows:
        rgba = torch.as_tensor(np.array(pixels[row])).permute(2, 0, 1)[None].float() / 255
        small.append(thumbnail(rgba))
    return torch.cat(small)


def thumbnail(rgba: Tensor) -> Tensor:
    """Premultiplied thumbnail [B, 4 × 32 × 32] of straight RGBA [B, 4, H, W] in [0, 1]."""
    premultiplied = torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], 1)
    return functional.interpolate(premultiplied, size=(SIDE, SIDE), mode="area").flatten(1)


def nearest(samples: Tensor, pictures: PictureSet) -> list[Neighbour]:
    """The nearest training picture, mirrored or not, of each sample [B, 4, H, W]."""
    rows = pictures.rows("train")
    known = thumbnails(pictures.pixels, rows)
    asked = thumbnail(samples)
    mirrored = thumbnail(samples.flip(-1))
    distances = torch.minimum(torch.cdist(asked, known), torch.cdist(mirrored, known))
    best = distances.min(1)
    scale = float(np.sqrt(known.shape[1]))
    return [
        Neighbour(int(rows[int(index)]), float(value) / scale)
        for value, index in zip(best.values, best.indices, strict=True)
    ]


def paint_sheet(pipeline: Pipeline, seed: int = 7) -> Tensor:
    """The prompts of the demonstration sheet, painted: [24, 4, S, S] straight RGBA in [0, 1]."""
    return torch.cat(
        [paint_layer(pipeline, prompt, seed + number) for number, prompt in enumerate(SHEET)]
    )


def spread_between_styles(pictures: PictureSet, count: int = 100) -> list[float]:
    """Distances between two styles' drawings of one concept: what "alike but not copied" means."""
    by_code: dict[str, list[int]] = {}
    for row in pictures.rows("train"):
        by_code.setdefault(pictures.entries[int(row)].code, []).append(int(row))
    pairs = [rows[:2] for rows in by_code.values() if len(rows) > 1][:count]
    firsts = thumbnails(pictures.pixels, np.array([pair[0] for pair in pairs]))
    seconds = thumbnails(pictures.pixels, np.array([pair[1] for pair in pairs]))
    return cast("Any", (firsts - seconds).square().mean(1).sqrt()).tolist()
