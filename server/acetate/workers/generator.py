"""The painter of a real worker: Acetate's own modes on Acetate's own pipelines."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from collections.abc import Generator as Yielding
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from acetate.errors import AcetateError
from acetate.models.devices import pick_device
from acetate.models.shipped import EMBEDDED
from acetate.modes import run, run_each
from acetate.modes.variant_batches import at_once
from acetate.pipelines.acceleration import as_far_as_compiled
from acetate.pipelines.device_faults import told
from acetate.pipelines.model_cache import Residents
from acetate.workers.engine import Announcement
from acetate.workers.generator_api import Note, Painter, PainterStep
from acetate.workers.known_offer import embedded_model, offer_of, official_models
from acetate.workers.warming import Warming
from acetate_bridge.protocol.types import Image, Layer, Request

if TYPE_CHECKING:
    from acetate.pipelines.pipeline import Pipeline
    from acetate.pipelines.sampling import OnStep, Step


class Generator:
    """Keeps the models that were used last resident on its device, as its memory allows."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._residents: Residents | None = None
        self._warming = Warming()
        self.warms_up = False
        """See `WarmingPainter.warms_up`."""

    def announce(self) -> Announcement:
        """The embedded model, loaded at once so that the first job need not wait for it.

        With it the official models, and the modes that any of those that are here can do.
        """
        info = embedded_model()
        try:
            with told(self._device):
                pipeline = self._load(EMBEDDED)
        except AcetateError as error:
            info = replace(info, state="missing", progress=0.0, reason=error.message)
        else:
            info = replace(info, native=pipeline.native, frame=pipeline.limits)
        return offer_of([info, *official_models()])

    def paint(
        self, request: Request, on_step: Callable[[PainterStep | Note], None]
    ) -> Sequence[Layer]:
        """See `Painter.paint`; a recipe without a size is painted at the model's own."""
        with told(self._device), as_far_as_compiled() if self.warms_up else nullcontext():
            return self._painted(request, on_step)

    def at_once(self, request: Request) -> int:
        """See `BatchPainter.at_once`."""
        if request.variants < 2:
            return 1
        with told(self._device):
            pipeline, request = self._opened(request)
            return at_once(request, request.variants, pipeline)

    def paint_each(
        self, request: Request, on_step: Callable[[PainterStep | Note], None]
    ) -> Yielding[Sequence[Layer]]:
        """See `BatchPainter.paint_each`."""
        with told(self._device), as_far_as_compiled() if self.warms_up else nullcontext():
            pipeline, request = self._opened(request)
            with self._reporting(pipeline, on_step) as step:
                yield from run_each(request, pipeline, step)

    @property
    def is_cold(self) -> bool:
        """See `WarmingPainter.is_cold`."""
        return self._warming.waiting

    def warm_up(self, called: Callable[[], bool]) -> None:
        """See `WarmingPainter.warm_up`."""
        if self._residents is not None:
            self._warming.rest(self._residents.resident, called)

    def _painted(
        self, request: Request, on_step: Callable[[PainterStep | Note], None]
    ) -> Sequence[Layer]:
        pipeline, request = self._opened(request)
        with self._reporting(pipeline, on_step) as step:
            layers = run(request, pipeline, step)
        if self.warms_up:
            self._warming.remember(request, pipeline)
        return layers

    def _opened(self, request: Request) -> tuple[Pipeline, Request]:
        """The model of a request, and the request with the size at which that paints it."""
        pipeline = self._load(request.recipe.model or EMBEDDED, request.recipe.weights)
        if not (request.recipe.width or request.recipe.height):
            recipe = replace(request.recipe, width=pipeline.native, height=pipeline.native)
            request = replace(request, recipe=recipe)
        return pipeline, request

    @contextmanager
    def _reporting(
        self, pipeline: Pipeline, on_step: Callable[[PainterStep | Note], None]
    ) -> Yielding[OnStep]:
        """What hears of the pipeline's steps, for the length of a block in which it tells notes."""
        pipeline.ladder.on_relief = lambda sentence: on_step(Note(sentence))
        try:
            yield lambda done: on_step(PainterStep(done.index, done.total, lambda: draw(done)))
        finally:
            pipeline.ladder.on_relief = None

    def _load(self, model: str, weights: str = "") -> Pipeline:
        if self._residents is None:
            self._residents = Residents(pick_device(self._device))
        pipeline = self._residents.get(model, weights)
        pipeline.ladder.release = partial(self._residents.release_others, model)
        return pipeline


def draw(step: Step) -> Image:
    """The preview of a step as pixels."""
    from acetate.images.tensors import to_image

    return to_image(step.preview(), "rgba8")


def open_generator(device: str, models_folder: Path) -> Painter:
    """Factory for `painter.load_painter`; this process looks for models in that folder."""
    os.environ["ACETATE_MODELS_DIR"] = str(models_folder)
    return Generator(device)
