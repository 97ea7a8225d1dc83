"""The panel's actions on what is seen before it is there: live previews, and results in place."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from acetate_bridge.client.connection_state import STOPPED
from acetate_bridge.editing.editor import DocumentClosed, Editor, Place
from acetate_bridge.editing.job import Arrival, Task
from acetate_bridge.editing.plan import CannotPlan
from acetate_bridge.editing.request_builder import (
    BuiltRequest,
    Wish,
    build,
    lasting,
    mode_info,
    with_own_prompt,
)
from acetate_bridge.panel.adjusting import safely
from acetate_bridge.panel.dispatch import Link
from acetate_bridge.panel.equipping import Equipping
from acetate_bridge.panel.guides import hindrance
from acetate_bridge.panel.in_place import preview_in_place, result_in_place
from acetate_bridge.panel.live import Live
from acetate_bridge.panel.preview_view import InPlaceView, LiveView
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.messages import Event, ModelInfo
from acetate_bridge.protocol.modes import mode_row

log = logging.getLogger("acetate.panel")

LIVE_MODE = "refine"
MOST_STEPS = 8
"""A preview has to come while the painter still looks at it."""
_PREVIEW = -1


class Previewing(Equipping):
    """A part of the panel's actions; `around` is how much of the picture is seen beside a preview.

    An editor with a canvas to draw on needs nothing around: the canvas shows that.
    """

    around = 0.0

    def __init__(self, editor: Editor, settings_file: Path) -> None:
        self._live = Live(_Around(self))
        self._looking = False
        self._peeked: tuple[str, int] | None = None
        self._in_place: tuple[object, InPlaceView | None] = (None, None)
        super().__init__(editor, settings_file)

    # ---- live

    @safely
    def set_live(self, on: bool) -> None:
        """Repaint the active layer as a preview whenever the hand rests, or no more."""
        self._live.switch(on)
        if on and not self._looking:
            self._looking = True
            self._editor.call_later(self._live.next_look, self._look_live)

    @safely
    def keep_live(self) -> None:
        """Put the preview that is shown into the document, as one undo step."""
        document, painted = self._here(), self._live.take()
        if painted is None or painted.task.record.document != document.key:
            raise CannotPlan("There is no preview yet.")
        record = lasting(self._editor, document, painted.task.record)
        task = Task(record, heard=True, ended=True)
        self._asked[record.document] = record
        # The painter has seen it, and wants it as it is.
        self._deliveries.deliver(task, replace(painted.result, warning=""))
        self._deliveries.end(task)
        self._look()

    def _look_live(self) -> None:
        """The clock of the live preview; draws only when something has changed."""
        if not self._live.on:
            self._looking = False
            return
        before = self._live_state()
        try:
            self._live.look()
        except Exception:
            log.exception("the live preview failed")
            self._live.switch(False)
        if self._live_state() != before:
            self.redraw()
        self._editor.call_later(self._live.next_look, self._look_live)

    def _hear_live(self, event: Event, arrival: Arrival | None = None) -> bool:
        """Whether an event was of the live preview."""
        if not self._live.hear(event, arrival):
            return False
        self._live.look()
        return True

    def _live_state(self) -> tuple[object, ...]:
        live = self._live
        return live.on, live.shown, live.sentence, live.painting

    def preview_holds(self) -> bool:
        """Whether the hand has done nothing that what is shown does not know of yet."""
        return self._live.holds

    @property
    def live_view(self) -> LiveView:
        """The switch as it stands."""
        live, model = self._live, self.known.model(LIVE_MODE, self._preferences.model)
        why_not = self.known.hindrance(LIVE_MODE, model)
        kept = live.shown is not None
        return LiveView(live.on, not why_not, why_not, live.sentence, live.painting, kept)

    # ---- in place

    @safely
    def peek(self, index: int) -> None:
        """Show a result of the strip in place while the pointer is on it."""
        record = self._deliveries.strip.record
        self._peeked = (record.job, index) if record is not None else None

    @safely
    def peek_preview(self) -> None:
        """Show what is being painted in place while the pointer is on its picture."""
        here = self._jobs_here()
        running = [each.record.job for each in self._tasks.values() if here(each)]
        # Of the next job nobody has asked to see it: a picture that goes may tell of no pointer.
        self._peeked = (running[0], _PREVIEW) if running else None

    @safely
    def peek_nothing(self) -> None:
        """The pointer has left."""
        self._peeked = None

    def in_place(self) -> InPlaceView | None:
        """What is to be seen in the document though it is not there; read once for each."""
        key, make = self._peek() or self._live_in_place()
        if key != self._in_place[0]:
            try:
                self._in_place = key, make() if key else None
            except DocumentClosed:
                self._in_place = key, None
        return self._in_place[1]

    def _live_in_place(self) -> tuple[object, Callable[[], InPlaceView | None]]:
        painted = self._live.shown
        if painted is None:
            return None, _nothing
        record, result = painted.task.record, painted.result
        without = record.gives_way(result.whole)
        return record.job, lambda: result_in_place(
            self._editor, record, result, self._deliveries.place_of(record), without, self.around
        )

    def _peek(self) -> tuple[object, Callable[[], InPlaceView | None]] | None:
        if self._peeked is None:
            return None
        job, index = self._peeked
        if index == _PREVIEW:
            task = self._tasks.get(job)
            if task is None or task.preview is None or not self._jobs_here()(task):
                return None
            key = job, id(task.preview)
            place = self._deliveries.place_of
            return key, lambda: preview_in_place(
                self._editor, task, place(task.record), self.around
            )
        strip = self._deliveries.strip
        record = strip.record
        if record is None or record.job != job or not 0 <= index < len(strip.results):
            return None
        result = strip.results[index]
        if result.keys:
            return None  # The document shows it.
        standing = tuple(strip.shown.keys) if strip.shown is not None else ()
        if not strip.anything_inserted:
            standing = record.gives_way(result.whole)
        place = Place(strip.shown.keys[0]) if strip.shown is not None else None
        return (job, index, standing), lambda: result_in_place(
            self._editor,
            record,
            result,
            place or self._deliveries.place_of(record),
            standing,
            self.around,
        )

    # ---- for `Live`

    def build_live(self) -> BuiltRequest:
        """The job for the active layer as it is now. Raises CannotPlan."""
        self._look()
        mode, preferences, known = LIVE_MODE, self._preferences, self.known
        model, info = known.model(mode, preferences.model), mode_info(known.offer, mode)
        problem = known.hindrance(mode, model)
        if problem or model is None or info is None:
            raise CannotPlan(problem or STOPPED.message)
        recipe = preferences.recipe(mode, info, model, draw_seed=False)
        now = preferences.current.mode
        if mode_row(now).prompted and preferences.prompt(now).strip():
            recipe = replace(recipe, prompt=preferences.recipe(now, None, model, False).prompt)
        recipe = with_own_prompt(recipe, known.recipe)
        follows = preferences.follows(mode)
        if problem := hindrance(follows, recipe.styles, model, known.layers):
            raise CannotPlan(problem)
        # The mean of several decodes is hardly seen, and takes longer than all that is before it.
        recipe = replace(recipe, steps=min(recipe.steps, MOST_STEPS), passes=1)
        wish = self._with_source(Wish(follows=follows), mode, known.situation.layer)
        quick = _smaller(model, self._live.pixels_in_time(model.id))
        return build(self._editor, known.situation, quick, info, recipe, wish, fleeting=True)

    def live_traces(self, anew: bool = False) -> object | None:
        """All that a preview depends on; None while a hand is down."""
        document = self._editor.active_document()
        if document is None:
            return ()
        try:
            traces = self._editor.traces(document.key, anew)
        except DocumentClosed:
            return ()
        if traces is None:
            return None
        return document.key, traces, self._preferences.current, self.live_view.why_not

    @property
    def link(self) -> Link | None:
        """The client, while the panel is open."""
        return self._link


def _smaller(model: ModelInfo, pixels: int | None) -> ModelInfo:
    """The model as one that paints no more pixels than these, if it can paint so few."""
    limits = model.frame or FrameLimits()
    if pixels is None or pixels >= limits.most_pixels:
        return model
    return replace(model, frame=replace(limits, most_pixels=max(limits.lowest**2, pixels)))


def _nothing() -> None:
    return None


class _Around:
    """What `Live` asks of the panel."""

    def __init__(self, panel: Previewing) -> None:
        self._panel = panel

    def traces(self, anew: bool = False) -> object | None:
        return self._panel.live_traces(anew)

    def build(self) -> BuiltRequest:
        return self._panel.build_live()

    def submit(self, built: BuiltRequest) -> None:
        """Nobody keeps a record of it: what a crash leaves is thrown away at the next start."""
        if self._panel.link is not None:
            self._panel.link.submit(built.request, built.record.job)

    def cancel(self, job: str) -> None:
        if self._panel.link is not None:
            self._panel.link.cancel(job)

    def acknowledge(self, job: str) -> None:
        if self._panel.link is not None:
            self._panel.link.acknowledge(job)
