"""What each step cache of a model saves and loses, measured by painting with and without it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from acetate.images.tensors import to_tensor
from acetate.models.families import FAMILIES
from acetate.modes import run
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge.protocol.types import Image, Layer, Recipe, Request

_LEAST_STEPS = 25
"""Few steps differ too much for a cache to be judged by them."""


@dataclass(frozen=True)
class CacheFigures:
    """A painting with a step cache beside the same without.

    `share` is of the seconds; `levels` the mean distance of the layers' samples, colour by alpha,
    of 255; `decibels` the peak signal-to-noise ratio of the same; `told` what the painting said.
    """

    cache: str
    share: float
    levels: float
    decibels: float
    told: str

    @property
    def line(self) -> str:
        """For people."""
        alike = "the same" if math.isinf(self.decibels) else f"{self.decibels:.1f} dB"
        return (
            f"{self.share:.2f} × the time, off by {self.levels:.2f} of 255 levels ({alike}): "
            f"{self.told}"
        )


def request_for(pipeline: Pipeline, mode: str) -> Request:
    """A painting at the native size, in as many steps as are advised for the family or more."""
    side = pipeline.native
    steps, guidance = FAMILIES[pipeline.family].advice(pipeline.preset)
    recipe = Recipe(
        mode,
        "a red apple with a green leaf",
        seed=1,
        steps=max(steps, _LEAST_STEPS),
        guidance=guidance,
        width=side,
        height=side,
        passes=0,
        layers=2,
    )
    if mode != "decompose":
        return Request(recipe)
    samples = np.full((side, side, 4), 255, np.uint8)
    samples[side // 4 : side // 2, side // 4 : side // 2, 1:3] = 40
    return Request(recipe, {"picture": Image(side, side, samples.tobytes())})


def cache_figures(pipeline: Pipeline, request: Request) -> Iterator[CacheFigures]:
    """Figures of each cache that the family has, one after another."""
    _painted(request, pipeline)  # The first painting of all loads and warms up.
    whole, alone, _ = _painted(request, pipeline)
    for cache in FAMILIES[pipeline.family].step_caches:
        changed = replace(request, recipe=replace(request.recipe, cache=cache))
        layers, took, told = _painted(changed, pipeline)
        away = np.abs(layers - whole)
        square = float(np.square(away).mean())
        decibels = -10 * math.log10(square) if square else math.inf
        yield CacheFigures(cache, took / alone, 255 * float(away.mean()), decibels, told)


def _painted(request: Request, pipeline: Pipeline) -> tuple[np.ndarray, float, str]:
    """Samples of all layers, the seconds that they took, and what was told."""
    said: list[str] = []
    pipeline.ladder.on_relief = said.append
    began = time.perf_counter()
    try:
        layers = run(request, pipeline)
    finally:
        pipeline.ladder.on_relief = None
    took = time.perf_counter() - began
    return np.stack([_by_alpha(layer) for layer in layers]), took, " ".join(said)


def _by_alpha(layer: Layer) -> np.ndarray:
    """Colour multiplied by alpha, and alpha, [4, H, W] in [0, 1]: what is clear has no colour."""
    rgba = to_tensor(layer.image)[0].double().numpy()
    return np.concatenate([rgba[:3] * rgba[3:], rgba[3:]])
