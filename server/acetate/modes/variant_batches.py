"""Batches of variants: on a card several are denoised as one batch, and each is decoded alone.

Noise and prompt of each are those that it has alone, and so is its recipe; of its pixels the last
bit may differ. Whatever a batch cannot have for each picture by itself makes it one by one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from acetate.errors import AcetateError
from acetate.models.fitting import WORKING
from acetate.modes.registry import mode_named
from acetate_bridge.protocol.types import Layer, Request

if TYPE_CHECKING:
    from torch import Tensor

    from acetate.modes.registry import Begin
    from acetate.pipelines.denoising import Denoising
    from acetate.pipelines.pipeline import Pipeline
    from acetate.pipelines.sampling import OnStep

    Counting = Callable[[int, int], OnStep | None]

BATCH = "ACETATE_BATCH"
"""How many variants are painted at once, at the most; see `acetate serve --batch`."""
USUAL = 4


def at_once(request: Request, variants: int, pipeline: Pipeline) -> int:
    """How many of so many variants are painted together; 1: one by one."""
    asked = os.environ.get(BATCH, "")
    most = min(variants, int(asked) if asked.isdecimal() else USUAL)
    recipe = request.recipe
    odd = request.images or recipe.cache or pipeline.step_cache or pipeline.compiled
    if most < 2 or odd or not pipeline.paints_together or pipeline.ladder.scarce:
        return 1
    if mode_named(recipe.mode).halves is None:
        return 1
    return max(1, min(most, room(pipeline, recipe.width * recipe.height)))


def room(pipeline: Pipeline, pixels: int) -> int:
    """How many pictures of so many pixels a device has room for; a processor takes one by one,
    and so does a card from which parts of the model wait outside.
    """
    from acetate.pipelines.memory_ladder import free_memory

    device = pipeline.device
    weights = (weight for network in pipeline.modules for weight in network.parameters())
    if device.type == "cpu" or any(weight.device.type != device.type for weight in weights):
        return 1
    return int(free_memory(device) / (WORKING * max(1.0, pixels / pipeline.native**2)))


class VariantBatches:
    """Variants of which each is painted in its turn: out of a batch with the next, or alone.

    `counting` gives what hears of the steps of so many variants from a place on.
    """

    def __init__(self, variants: Sequence[Request], pipeline: Pipeline, counting: Counting) -> None:
        self._variants = list(variants)
        self._pipeline = pipeline
        self.counting = counting
        self._begun: dict[int, tuple[Tensor, dict[str, str]]] = {}

    def layers(self, place: int, request: Request) -> list[Layer] | None:
        """The layers of the variant at a place; None for what is painted alone, as second tries."""
        pipeline, halves = self._pipeline, mode_named(request.recipe.mode).halves
        if halves is None or request is not self._variants[place]:
            return None
        if place not in self._begun:
            self._begin(place, halves[0])
        if place not in self._begun:
            return None
        latent, files = self._begun.pop(place)
        pipeline.files.use_again(files)
        return halves[1](request, pipeline, latent)

    def _begin(self, place: int, ask: Begin) -> None:
        """Denoise as many variants from this place on as go together, if any do."""
        pipeline, here = self._pipeline, self._variants[place:]
        count = at_once(here[0], len(here), pipeline)
        if count < 2:
            return
        from acetate.pipelines.denoising import merged

        asked: list[Denoising] = []
        files: list[dict[str, str]] = []
        for request in here[:count]:
            try:
                with pipeline.files.of_one():
                    asked.append(pipeline.prepared(ask(request, pipeline)))
                    files.append(pipeline.files.hashes)
            except AcetateError:
                break  # It says what is wrong when its turn comes; those before it are painted.
        while len(asked) > 1:
            if (whole := merged(asked)) is not None:
                told = self.counting(place, len(asked))
                latents = pipeline.denoise_prepared(whole, on_step=told)
                for index in range(len(asked)):
                    self._begun[place + index] = latents[index : index + 1], files[index]
                return
            asked.pop()
