"""Blocks compiled between two jobs for those that come: no job waits for a compiler inside it.

A job runs what is compiled by then and all else the plain way. When nobody wants anything it is
begun once more, for two steps whose result nobody sees, now with the compiler. The next job that
comes stops that; at the most it waits for the one block that is being compiled at that moment.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from acetate.errors import Interrupted
from acetate.modes import run
from acetate.pipelines.acceleration import checking

if TYPE_CHECKING:
    from acetate.pipelines.pipeline import Pipeline
    from acetate.pipelines.sampling import Step
    from acetate_bridge.protocol.types import Request

log = logging.getLogger("acetate.worker")

_STEPS = 2
_WAITING = 4
_DONE = 256
"""Kinds of jobs that are remembered, so that each is warmed up for once."""


class _Enough(Interrupted):
    """All blocks have been run; nobody wants the picture."""


class Warming:
    """The last jobs of each kind that are still to be warmed up for."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, Request] = OrderedDict()
        self._done: OrderedDict[str, None] = OrderedDict()

    @property
    def waiting(self) -> bool:
        """Whether there is anything to warm up for."""
        return bool(self._waiting)

    def remember(self, request: Request, pipeline: Pipeline) -> None:
        """A job was painted, perhaps as the first of its kind."""
        if pipeline.compiled is None or pipeline.compiled.failed:
            return
        kind = _kind(request)
        if kind not in self._done:
            self._waiting[kind] = request
            self._waiting.move_to_end(kind)
        if len(self._waiting) > _WAITING:
            self._waiting.popitem(last=False)

    def rest(self, resident: Callable[[str], Pipeline | None], called: Callable[[], bool]) -> None:
        """Warm up, the last kind of job first, until that is done or `called` says to stop.

        `resident` gives the models that are in memory; for others nothing is done.
        """
        while self._waiting and not called():
            kind, request = self._waiting.popitem()
            pipeline = resident(request.recipe.model)
            if pipeline is None:
                continue
            try:
                _begin(request, pipeline, called)
            except _Enough:
                pass
            except Interrupted:
                self._waiting[kind] = request
                return
            except Exception as error:
                # The next job of this kind has the same error, and tells it.
                log.warning("no warming up for jobs like the last: %s", type(error).__name__)
            self._done[kind] = None
            if len(self._done) > _DONE:
                self._done.popitem(last=False)


def _begin(request: Request, pipeline: Pipeline, called: Callable[[], bool]) -> None:
    """Paint until all blocks have been run. Raises _Enough, or Interrupted when called."""

    def check() -> None:
        if called():
            raise Interrupted

    def step(done: Step) -> None:
        check()
        if done.index == done.total:
            raise _Enough

    recipe = replace(request.recipe, steps=_STEPS, cache="")
    with checking(check):
        run(replace(request, recipe=recipe), pipeline, step)


def _kind(request: Request) -> str:
    """What two jobs have in common that run the same blocks over the same shapes."""
    said = request.recipe
    recipe = replace(
        said,
        prompt="",
        negative_prompt="",
        layer_prompts={},
        then=[],
        seed=0,
        steps=0,
        strength=0.0,
        passes=0,
        guidance=float(said.guidance == 1),
        inputs={},
        files={},
        preset="",
        cache="",
    )
    return repr((recipe, sorted(request.images)))
