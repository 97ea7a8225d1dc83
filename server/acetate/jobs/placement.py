"""Which job goes to which engine: in turn, with an eye on the model that an engine has loaded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from acetate.jobs.fair_queue import FairQueue

E = TypeVar("E", bound=Hashable)


class Placement(Generic[E]):
    """Engines that have nothing to do, and what each painted with last.

    Loading a model takes longer than many a picture: a job goes to an engine that has its model,
    if one is free, and an engine takes a job for its model before another's whose turn it is, as
    often as the queue lets it. `model_of` names a job's model, `can` says whether an engine has it.
    """

    def __init__(
        self,
        queue: FairQueue,
        model_of: Callable[[str], str],
        can: Callable[[E, str], bool] = lambda engine, model: True,
    ) -> None:
        self._queue, self._model_of, self._can = queue, model_of, can
        self._last: dict[E, str] = {}
        self._idle: OrderedDict[E, None] = OrderedDict()
        self._warm: dict[str, OrderedDict[E, None]] = {}

    def release(self, engine: E) -> None:
        """The engine is free."""
        self._idle[engine] = None
        if (model := self._last.get(engine)) is not None:
            self._warm.setdefault(model, OrderedDict())[engine] = None

    def choose(self) -> tuple[str, E] | None:
        """The next job and the engine for it, which is busy from now on; None for none."""
        if not self._idle:
            return None
        job = self._queue.take(
            lambda job: self._able(self._model_of(job)) is not None,
            lambda job: bool(self._warm.get(self._model_of(job))),
        )
        if job is None:
            return None
        model = self._model_of(job)
        engine = self._able(model)
        assert engine is not None
        self._take(engine)
        self._last[engine] = model
        return job, engine

    def _able(self, model: str) -> E | None:
        """A free engine for a model: one that has it loaded, else the one that rests longest."""
        for engine in self._warm.get(model, ()):
            if self._can(engine, model):
                return engine
        return next((engine for engine in self._idle if self._can(engine, model)), None)

    def _take(self, engine: E) -> None:
        del self._idle[engine]
        before = self._last.get(engine)
        if before is not None and (warm := self._warm.get(before)) is not None:
            warm.pop(engine, None)
            if not warm:
                del self._warm[before]
