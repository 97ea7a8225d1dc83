"""Live: the active layer is repainted as a preview whenever the painter's hand rests.

Knows neither editor nor wire nor the time of the day, so that it can be tested by itself. At any
moment at most one job of it is at the server; what would be the next one is only a wish, which is
built from what is there when the one before has ended. So the newest wins and nothing piles up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from acetate_bridge.editing.editor import DocumentClosed, LayerGone
from acetate_bridge.editing.insertion import HAND_RESTS_AFTER
from acetate_bridge.editing.job import Arrival, Record, Result, Task
from acetate_bridge.editing.plan import CannotPlan
from acetate_bridge.editing.request_builder import BuiltRequest
from acetate_bridge.protocol.messages import (
    Cancelled,
    Done,
    Event,
    Failed,
    LayerReady,
    Progress,
)
from acetate_bridge.protocol.types import Request

LOOK_EVERY = 0.05
"""Seconds between two looks at the painter's hand."""
PAINTED_WITHIN = 0.33
"""Seconds that a preview may take: where a server is slower, it is asked for fewer pixels.

With the rest of the hand and the ways there and back, a stroke is then followed within about 0.7 s.
"""


class Surroundings(Protocol):
    """What there is to repaint, and who paints it."""

    def traces(self, anew: bool = False) -> object | None:
        """All that a preview depends on, to be compared; None while a hand is down.

        What was seen a moment ago is enough, unless it is to be looked at `anew`.
        """
        ...

    def build(self) -> BuiltRequest:
        """The job for what is there now. Raises CannotPlan, DocumentClosed and LayerGone."""
        ...

    def submit(self, built: BuiltRequest) -> None:
        """Ask the server for it."""
        ...

    def cancel(self, job: str) -> None:
        """Stop it within a step."""
        ...

    def acknowledge(self, job: str) -> None:
        """Let the server forget it."""
        ...


@dataclass
class _Job:
    """The job at the server. `outdated`: what it paints is not what is there any more.

    `began_at` is when it was asked for, or when its turn came, as far as the server has told.
    """

    task: Task
    request: Request
    began_at: float
    has_begun: bool = False
    outdated: bool = False
    results: list[Result] = field(default_factory=list[Result])


@dataclass(frozen=True)
class Painted:
    """A preview: what was asked for, and what came of it."""

    request: Request
    task: Task
    result: Result


class Live:
    """`now` gives seconds that only ever rise. `look` has to be called again and again."""

    def __init__(
        self, surroundings: Surroundings, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._around = surroundings
        self._now = now
        self._seen: object = None
        self._changed_at = 0.0
        self._wished = False
        self._job: _Job | None = None
        self._asked: tuple[Request, Record] | None = None
        self._last: Painted | None = None
        self._seconds_a_pixel: dict[str, float] = {}
        self._measured: dict[str, float] = {}
        self.on = False
        self.shown: Painted | None = None
        self.sentence = ""

    @property
    def painting(self) -> bool:
        """Whether a preview is on its way."""
        return self._job is not None and not self._job.outdated

    @property
    def holds(self) -> bool:
        """Whether nothing has changed since the last look, as far as can be told."""
        return not self.on or self._around.traces() == self._seen

    @property
    def next_look(self) -> float:
        """Seconds until `look` is worth calling again: soon, and as the hand has just rested."""
        rests_in = self._changed_at + HAND_RESTS_AFTER - self._now()
        # The timers of editors count whole milliseconds.
        return rests_in + 0.001 if self._wished and 0 < rests_in < LOOK_EVERY else LOOK_EVERY

    def switch(self, on: bool) -> None:
        """Begin to repaint, or leave nothing behind."""
        if on == self.on:
            return
        self.on, self._seen, self._wished = on, None, False
        self._asked, self._last, self.sentence = None, None, ""
        self._outdate()

    def look(self) -> None:
        """Notice what the hand has done, and ask for a preview when it rests."""
        if not self.on:
            return
        traces = self._around.traces()
        if traces is None:
            return
        if traces != self._seen:
            self._seen, self._changed_at, self._wished = traces, self._now(), True
            self._outdate()
        rests = self._now() - self._changed_at >= HAND_RESTS_AFTER
        if self._wished and rests and self._job is None:
            # Some of a stroke is seen only after it; it is what is repainted now, and no new deed.
            traces = self._around.traces(anew=True)
            if traces is None:
                return
            self._seen, self._wished = traces, False
            self._ask()
        if not self._wished and self._job is None:
            self.shown = self._last

    def hear(self, event: Event, arrival: Arrival | None = None) -> bool:
        """What the server says; False when it is of a job of somebody else."""
        job = self._job
        if job is None or event.job != job.task.record.job:
            return False
        if isinstance(event, Progress) and event.stage == "loading" and not job.has_begun:
            # What came before was the time of others' jobs.
            job.has_begun, job.began_at = True, self._now()
        elif isinstance(event, LayerReady) and arrival is not None:
            job.results += job.task.take(event.variant, arrival)
        elif isinstance(event, (Done, Failed, Cancelled)):
            self._job = None
            self._around.acknowledge(event.job)
            if not job.outdated:
                self._end(job, event)
        return True

    def pixels_in_time(self, model: str) -> int | None:
        """How many pixels this model is asked for, by how fast it was; None: as many as suit.

        A new measure counts from the next stroke on: by itself it is no reason to paint again.
        """
        seconds = self._seconds_a_pixel.get(model)
        return int(PAINTED_WITHIN / seconds) if seconds else None

    def take(self) -> Painted | None:
        """What is shown, which its taker puts into the document; it is not painted once more."""
        shown, self.shown, self._last = self.shown, None, None
        return shown

    def forget(self) -> None:
        """The server is another one: nothing more will be heard of the job."""
        self._job, self._seen, self._asked = None, None, None

    def _ask(self) -> None:
        self.sentence = ""
        try:
            built = self._around.build()
        except (CannotPlan, DocumentClosed, LayerGone) as error:
            self.sentence = str(error) if isinstance(error, CannotPlan) else ""
            self._asked, self._last = None, None
            return
        sought = _sought(built)
        if sought == self._asked:
            return  # The hand has changed nothing of what is repainted.
        if self._measured:
            self._seconds_a_pixel.update(self._measured)
            self._measured = {}
            return self._ask()
        self._asked, self._last = sought, None
        self._job = _Job(Task(built.record, heard=True), built.request, self._now())
        self._around.submit(built)

    def _end(self, job: _Job, event: Done | Failed | Cancelled) -> None:
        if isinstance(event, Failed):
            self.sentence = " ".join(part for part in (event.message, event.hint) if part)
        elif isinstance(event, Done):
            self._measure(job)
            results = [*job.results, *job.task.finish()]
            if results:
                self._last = Painted(job.request, job.task, results[0])

    def _measure(self, job: _Job) -> None:
        """How fast the server is; a time that suits changes nothing, so that frames stay alike."""
        recipe, took = job.request.recipe, self._now() - job.began_at
        known = recipe.model in self._seconds_a_pixel
        if not (known and 0.5 <= took / PAINTED_WITHIN <= 1.25):
            pixels = max(1, recipe.width * recipe.height)
            self._measured[recipe.model] = took / pixels

    def _outdate(self) -> None:
        """What is shown, and what is being painted, is not true any more."""
        self.shown = None
        if self._job is not None and not self._job.outdated:
            self._job.outdated, self._asked = True, None
            self._around.cancel(self._job.task.record.job)


def _sought(built: BuiltRequest) -> tuple[Request, Record]:
    """All that makes a preview another one: what it is painted from, and where it would go.

    The copy of a layer looks like that, but it is the copy that a kept preview would replace.
    """
    return built.request, replace(built.record, job="", title="", file="", mark="")
