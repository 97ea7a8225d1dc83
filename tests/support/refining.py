"""Layers to refine, and how much of one comes back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from acetate.images.tensors import to_image, to_tensor
from acetate.modes import run
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge.protocol.types import Image, Recipe, Request


@dataclass(frozen=True)
class Fidelity:
    """Peak signal to noise in decibels, of premultiplied colour and of alpha."""

    colour: float
    alpha: float


def layers(side: int) -> dict[str, Image]:
    """Layers of all sorts: hard, soft, hollow, see-through; none of them opaque."""
    line = torch.linspace(-1, 1, side)
    y, x = torch.meshgrid(line, line, indexing="ij")
    far = (x**2 + y**2).sqrt()
    plain = torch.ones_like(x)
    disc = ((0.7 - far) * 20).clamp(0, 1)
    drawn = {
        "disc": (0.9 * plain, 0.2 + 0.1 * x, 0.2 * plain, disc),
        "soft": (0.2 * plain, 0.4 + 0.3 * y, 0.8 * plain, (1 - far).clamp(0, 1)),
        "ring": (0.9 * plain, 0.7 * plain, 0.1 * plain, 1 - ((far - 0.6).abs() * 6).clamp(0, 1)),
        "box": (0.1 * plain, 0.6 + 0.2 * x, 0.2 * plain, (x.abs().maximum(y.abs()) < 0.5).float()),
        "glass": (0.6 * plain, 0.8 * plain, 0.9 * plain, 0.45 * disc),
    }
    return {name: to_image(torch.stack(planes)[None].clamp(0, 1)) for name, planes in drawn.items()}


def refined(pipeline: Pipeline, source: Image, strength: float) -> Tensor:
    """The layer repainted to a strength, with words that say something else."""
    recipe = Recipe(
        "refine", "a blue ball", seed=5, steps=6, guidance=3.0, strength=strength,
        width=source.width, height=source.height, passes=1,
    )  # fmt: skip
    (layer,) = run(Request(recipe, {"layer": source}), pipeline)
    return to_tensor(layer.image)


def fidelity(source: Tensor, result: Tensor) -> Fidelity:
    """How near a result [1, 4, H, W] is to its source."""

    def decibels(a: Tensor, b: Tensor) -> float:
        return float(-10 * torch.log10((a - b).square().mean()))

    colours = [layer[:, :3] * layer[:, 3:] for layer in (source, result)]
    return Fidelity(decibels(*colours), decibels(source[:, 3:], result[:, 3:]))
