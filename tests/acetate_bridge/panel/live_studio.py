"""A hand at work before the live preview, and the server's answers, as a test wants them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from acetate_bridge.editing.insertion import HAND_RESTS_AFTER
from acetate_bridge.editing.job import Arrival, Record
from acetate_bridge.editing.request_builder import BuiltRequest
from acetate_bridge.panel.live import Live
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.messages import (
    Accepted,
    Cancelled,
    Done,
    Event,
    LayerReady,
    Progress,
)
from acetate_bridge.protocol.types import Image, Layer, Recipe, Request

RESTED = 2 * HAND_RESTS_AFTER
_DOT = Image(1, 1, bytes((1, 2, 3, 255)))


@dataclass
class Studio:
    """A sheet with a hand on it, a clock that the test moves, and a server that it speaks for."""

    drawing: int = 0
    document: str = "sheet"
    layer: str = "drawing"
    title: str = ""
    down: bool = False
    time: float = 100.0
    problem: Exception | None = None
    jobs: dict[str, Request] = field(default_factory=dict[str, Request])
    cancelled: list[str] = field(default_factory=list[str])
    acknowledged: list[str] = field(default_factory=list[str])
    built: int = 0
    submitted: int = 0
    drawn_late: int = 0
    seen_late_at: float = 0.0
    seen_of_it: int = 0

    def __post_init__(self) -> None:
        self.live = Live(self, lambda: self.time)
        self.live.switch(True)

    def traces(self, anew: bool = False) -> object | None:
        if anew or self.time >= self.seen_late_at:
            self.seen_of_it = self.drawn_late
        seen = self.document, self.layer, self.title, self.drawing, self.seen_of_it
        return None if self.down else seen

    def build(self) -> BuiltRequest:
        if self.problem is not None:
            raise self.problem
        prompt = f"{self.document} {self.drawing}"
        recipe = Recipe("refine", prompt, model="slow", width=512, height=512)
        self.built += 1
        record = Record(f"job {self.built}", self.document, "", "refine", Rect(0, 0, 1, 1), recipe)
        record = replace(record, title=self.title, hides=[self.layer])
        return BuiltRequest(Request(recipe), record, None)

    def submit(self, built: BuiltRequest) -> None:
        self.submitted += 1
        self.jobs[built.record.job] = built.request
        assert len(self.jobs) == 1, "one job at a time"

    def cancel(self, job: str) -> None:
        assert job in self.jobs and job not in self.cancelled, "once"
        self.cancelled.append(job)

    def acknowledge(self, job: str) -> None:
        self.acknowledged.append(job)

    def look(self, seconds: float = 0.0) -> None:
        self.time += seconds
        self.live.look()

    def stroke(self, seconds: float = 0.1) -> None:
        self.down = True
        self.look(seconds)
        self.drawing += 1
        self.down = False
        self.look()

    def answer(self) -> None:
        """The server ends its job: as it was told to, else well."""
        for job, request in list(self.jobs.items()):
            stopped = job in self.cancelled
            self.say(Accepted(job, 0))
            self.say(Progress(job, 0, "painting", 1, 2))
            if not stopped:
                layer = Layer(_DOT, recipe=request.recipe)
                arrival = Arrival(layer, _DOT, "")
                self.live.hear(LayerReady(job, 0, 0, layer), arrival)
            del self.jobs[job]
            self.say(Cancelled(job, 0) if stopped else Done(job, 0, request.recipe, 1))
        self.look()

    def say(self, event: Event) -> None:
        assert self.live.hear(event)

    @property
    def shown(self) -> str:
        """What the preview that is shown was painted from."""
        shown = self.live.shown
        return shown.request.recipe.prompt if shown is not None else ""

    @property
    def there(self) -> str:
        return f"{self.document} {self.drawing}"


def painted(studio: Studio, seconds: float) -> None:
    """A stroke, and its preview after so long."""
    studio.stroke()
    studio.look(RESTED)
    studio.time += seconds
    studio.answer()
    assert studio.shown == studio.there


def rested(studio: Studio) -> Studio:
    """The preview of what is there is shown."""
    studio.look()
    studio.look(RESTED)
    studio.answer()
    assert studio.shown == studio.there
    return studio
