"""One job inside the worker: its variants, progress, previews, placed layers."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Protocol

from acetate.errors import AcetateError, Interrupted
from acetate.images.frame_pixels import crop, place_layer, show_frame
from acetate.images.kept import as_in_document
from acetate.logs import about_job
from acetate.workers import ipc as wire
from acetate.workers.generator_api import BatchPainter, Note, Painter, PainterStep
from acetate_bridge.protocol.geometry import Size
from acetate_bridge.protocol.messages import Preview, Progress
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.seeds import variant_seed
from acetate_bridge.protocol.types import Image, Layer, Request

log = logging.getLogger("acetate.worker")

PREVIEW_SHARE = 0.05
"""Of the time of a painting, so much may go into previews of it."""


class Send(Protocol):
    """Sends a message with its payload."""

    def __call__(self, message: wire.FromWorker, payload: bytes = b"") -> None: ...


class Reporter:
    """Turns a painter's steps into messages and asks after each whether to go on.

    Between two previews lie `preview_seconds` at least, and more where one takes long; 0: none.
    """

    def __init__(
        self,
        job: str,
        variants: int,
        send: Send,
        stopped: Callable[[], bool],
        preview_seconds: float,
    ) -> None:
        self._job = job
        self._variants = variants
        self._send = send
        self._stopped = stopped
        self._preview_seconds = preview_seconds
        self._variant = 0
        self._before, self._together = 0, 1
        self._began = time.monotonic()
        self._next_preview = float("-inf")
        self._last_step = Progress(job, 0, "loading")
        self._notes: list[str] = []

    def go_on(self, before: int, together: int) -> None:
        """After so many variants, steps are counted over so many together."""
        self._before, self._together = before, together

    def begin(self, variant: int) -> None:
        """The next variant starts."""
        self._variant = variant
        self.check()

    def check(self) -> None:
        """Raise Interrupted when the job shall stop."""
        if self._stopped():
            raise Interrupted

    def step(self, done: PainterStep | Note) -> None:
        """A painter's `on_step`. All progress after a note carries it, as a slow reader skips."""
        self.check()
        if isinstance(done, Note):
            if done.sentence not in self._notes:
                self._notes.append(done.sentence)
            self._tell(self._last_step)
            return
        now = time.monotonic()
        each = done.steps // self._together
        steps, step = each * self._variants, each * self._before + done.step
        left = (now - self._began) / step * (steps - step)
        stage = "decoding" if done.step == done.steps else "painting"
        self._tell(Progress(self._job, 0, stage, step, steps, left))
        last = done.step == done.steps
        if now >= self._next_preview and (not last or done.steps == 1):
            preview = Preview(self._job, 0, done.preview(), self._variant)
            self._send(wire.PreviewMade(preview))
            took = time.monotonic() - now
            rest = max(self._preview_seconds, took / PREVIEW_SHARE) if self._preview_seconds else 0
            self._next_preview = now + rest
            self.check()

    def _tell(self, step: Progress) -> None:
        self._last_step = replace(step, note=" ".join(self._notes))
        self._send(wire.StepDone(self._last_step))


def last_message(
    order: wire.Paint,
    painter: Painter,
    send: Send,
    stopped: Callable[[], bool],
    preview_seconds: float,
) -> wire.FromWorker:
    """Run a job and return its last message, which says how it ended."""
    with about_job(order.job, order.request.recipe):
        return _ending(order, painter, send, stopped, preview_seconds)


def _ending(
    order: wire.Paint,
    painter: Painter,
    send: Send,
    stopped: Callable[[], bool],
    preview_seconds: float,
) -> wire.FromWorker:
    try:
        run_job(order.job, order.request, painter, send, stopped, preview_seconds)
    except Interrupted:
        return wire.Stopped(order.job)
    except AcetateError as error:
        return wire.Broken(order.job, error.code, error.message, error.hint)
    except MemoryError:
        log.exception("job %s found no memory", order.job)
        return wire.Broken(
            order.job,
            "out_of_memory",
            "Memory ran out while it was painted.",
            "Close other programs, or try a smaller size or fewer variants.",
        )
    except Exception as error:
        log.exception("job %s broke", order.job)
        return wire.Broken(
            order.job,
            "painting_failed",
            f"The painting failed: {type(error).__name__}.",
            "The server's log has the details; try another size or fewer variants.",
        )
    return wire.Finished(order.job)


def run_job(
    job: str,
    request: Request,
    painter: Painter,
    send: Send,
    stopped: Callable[[], bool],
    preview_seconds: float,
) -> None:
    """Paint every variant and send its layers as soon as they are there.

    Variants are painted one by one, so that the first is with the painter while the others are
    still being made, or some together where the device is faster so (`BatchPainter`). Raises
    Interrupted, and whatever the painter raises.
    """
    send(wire.StepDone(Progress(job, 0, "loading")))
    images = request.images
    # A painter that mixes with the document's own pixels leaves that to `_placed`, if it can.
    mixes = mode_row(request.recipe.mode).needs_selection
    theirs = all(_of_document(image, request) for image in images.values())
    shown = request.frame if mixes and theirs else None
    if request.frame is not None:
        images = {name: show_frame(image, request.frame) for name, image in images.items()}
    reporter = Reporter(job, request.variants, send, stopped, preview_seconds)
    variant = 0
    reporter.begin(variant)
    while variant < request.variants:
        recipe = replace(request.recipe, seed=variant_seed(request.recipe.seed, variant))
        rest = request.variants - variant
        asked = replace(request, recipe=recipe, images=images, variants=rest, frame=shown)
        together = painter.at_once(asked) if isinstance(painter, BatchPainter) else 1
        asked = replace(asked, variants=together)
        reporter.go_on(variant, together)
        with ExitStack() as stack:
            if isinstance(painter, BatchPainter) and together > 1:
                each = stack.enter_context(closing(painter.paint_each(asked, reporter.step)))
            else:
                each = [painter.paint(asked, reporter.step)]
            for layers in each:
                for layer in layers:
                    placed = _placed(layer, request)
                    send(wire.LayerPainted.of(job, placed, variant), placed.image.data)
                variant += 1
                if variant < request.variants:
                    reporter.begin(variant)


def _placed(layer: Layer, request: Request) -> Layer:
    """The layer in document pixels; the alpha that is to be kept comes from the document."""
    frame = request.frame
    if frame is None:
        return layer
    placed = place_layer(layer, frame)
    given = {
        name: crop(image, frame.crop)
        for name, image in request.images.items()
        if _of_document(image, request)
    }
    return as_in_document(placed, request.recipe, given, frame)


def _of_document(image: Image, request: Request) -> bool:
    """Whether an image has the document's own pixels, not those that the model sees."""
    frame = request.frame
    return frame is not None and Size(image.width, image.height) == frame.canvas.size
