"""Whether a fill mends a hole better than to leave it, and better than to repaint the layer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from acetate.embedded.codec import doubled_layer
from acetate.images.tensors import opaque, to_image, to_tensor
from acetate.modes.decompose import at_size
from acetate.modes.run import run
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge.protocol.modes import FILL_STRENGTH
from acetate_bridge.protocol.types import FillKind, Recipe, Request

from .dataset import PictureSet

_RADII = (0.06, 0.12)
"""Of a hole, as a share of the side."""

_REPAINTED = 0.5
"""Strength of the repainting: what the command line takes."""

_KINDS: tuple[FillKind, ...] = ("fill", "expand", "remove")


@dataclass(frozen=True)
class Fills:
    """Inside round holes cut into held-out drawings: mean PSNR of premultiplied colour in
    decibels, and mean absolute error of alpha; of the hole, of the whole layer repainted, and of
    each kind of fill."""

    holes: int
    hole_decibels: float
    hole_alpha: float
    repainted_decibels: float
    repainted_alpha: float
    fill_decibels: float
    fill_alpha: float
    expand_decibels: float
    expand_alpha: float
    remove_decibels: float
    remove_alpha: float


def measure_fills(pipeline: Pipeline, pictures: PictureSet, count: int) -> Fills:
    """A hole in each of `count` drawings of the held-out style, filled by what the thing is."""
    rows = pictures.rows("style")
    rows = rows[:: max(1, len(rows) // count)][:count]
    generator = torch.Generator().manual_seed(5)
    totals = torch.zeros(len(_KINDS) + 2, 2, dtype=torch.float64)
    for row in rows:
        rgba = torch.as_tensor(pictures.pixels[row].copy()).permute(2, 0, 1)[None].float() / 255
        truth = at_size(doubled_layer(rgba), pipeline.native, pipeline.native)
        inside = _hole(truth[:, 3:], generator)
        holed = torch.where(inside, 0.0, truth)
        ways = _ways(pipeline, holed, inside, pictures.entries[int(row)].label)
        totals += torch.tensor([_errors(way, truth, inside) for way in ways], dtype=torch.float64)
    figures: list[float] = cast("Any", (totals / len(rows)).flatten()).tolist()
    return Fills(len(rows), *figures)


def _hole(alpha: Tensor, generator: torch.Generator) -> Tensor:
    """A disc around a visible pixel: bool of the shape of alpha."""
    height, width = alpha.shape[-2:]
    visible = (alpha[0, 0] > 0.5).nonzero()
    middle = visible[int(torch.randint(len(visible), (1,), generator=generator))]
    share = _RADII[0] + (_RADII[1] - _RADII[0]) * float(torch.rand(1, generator=generator))
    down = torch.arange(height)[:, None] - middle[0]
    across = torch.arange(width) - middle[1]
    return (down.square() + across.square() < (share * width) ** 2)[None, None]


def _ways(pipeline: Pipeline, holed: Tensor, inside: Tensor, label: str) -> Iterator[Tensor]:
    """The hole as it is, the layer repainted, and the hole filled in each way."""
    layer, mask = to_image(holed), to_image(opaque(inside.float().expand(-1, 3, -1, -1)))
    recipe = Recipe(
        "refine",
        label,
        seed=7,
        steps=8,
        guidance=1.0,
        width=layer.width,
        height=layer.height,
        strength=_REPAINTED,
    )
    yield holed
    yield _painted(Request(recipe, {"layer": layer}), pipeline)
    for kind in _KINDS:
        words = "" if kind == "remove" else label
        filled = Recipe(
            "fill",
            words,
            seed=7,
            steps=8,
            guidance=1.0,
            width=layer.width,
            height=layer.height,
            strength=FILL_STRENGTH[kind],
            fill=kind,
        )
        yield _painted(Request(filled, {"layer": layer, "mask": mask}), pipeline)


def _painted(request: Request, pipeline: Pipeline) -> Tensor:
    (layer,) = run(request, pipeline)
    return to_tensor(layer.image)


def _errors(way: Tensor, truth: Tensor, inside: Tensor) -> tuple[float, float]:
    """Decibels of premultiplied colour, and the error of alpha, inside."""
    colour = (way[:, :3] * way[:, 3:] - truth[:, :3] * truth[:, 3:]).square().mean(1, keepdim=True)
    alpha = (way[:, 3:] - truth[:, 3:]).abs()
    return -10 * math.log10(float(colour[inside].mean()) + 1e-6), float(alpha[inside].mean())
