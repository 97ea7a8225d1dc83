"""Results on their way into a document: at once, when the hand rests, or as an offer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from acetate_bridge.editing.anchor import Anchor
from acetate_bridge.editing.editor import (
    Document,
    DocumentClosed,
    Editor,
    LayerGone,
    LayerInfo,
    Place,
)
from acetate_bridge.editing.job import Record, Result, Task
from acetate_bridge.editing.metadata import HistoryEntry
from acetate_bridge.editing.remembering import remember
from acetate_bridge.editing.reopening import home_of, keys_now
from acetate_bridge.editing.results import PlaceLost, Strip
from acetate_bridge.editing.stack_order import Earlier, place_now
from acetate_bridge.editing.standing import last_results, layers_with
from acetate_bridge.protocol.geometry import Rect

log = logging.getLogger("acetate.panel")

Why = Literal["closed", "turned", "refused"]

HAND_RESTS_AFTER = 0.15
"""Seconds without a change after which a hand is taken to rest."""


@dataclass
class Offer:
    """Results that no document has a place for, and why: theirs was closed, turned, or refused."""

    task: Task
    why: Why
    results: list[Result] = field(default_factory=list[Result])


class Deliveries:
    """`settle(task)` is called when nothing of an ended task can be lost any more.

    `arrived(sentence)` is called when something came in later than it was delivered, or could not
    (a sentence for the painter). Each document has a strip of its own; `strip` is that of the
    document that the painter is in (`turn_to`). `waits_for` says what would let in what waits for
    the hand, where that is more than to rest (see `Editor.why_busy`).
    """

    def __init__(
        self,
        editor: Editor,
        settle: Callable[[Task], None],
        arrived: Callable[[str], None],
    ) -> None:
        self._editor = editor
        self._settle = settle
        self._arrived = arrived
        self._strips: dict[str, Strip] = {}
        self._earlier = Earlier()
        self._here = ""
        self._waiting: list[tuple[Task, Result]] = []
        self._offers: dict[str, Offer] = {}
        self._unsafe: dict[str, Task] = {}
        self._asleep = False
        self.waits_for = ""

    @property
    def strip(self) -> Strip:
        """The results of the document that the painter is in."""
        return self._strip_of(self._here)

    @property
    def offered(self) -> Offer | None:
        """The oldest result without a place."""
        return next(iter(self._offers.values()), None)

    @property
    def waits_for_the_hand(self) -> bool:
        """A result comes in as soon as nobody paints."""
        return self._asleep and bool(self._waiting)

    def turn_to(self, document: Document | None, history: Sequence[HistoryEntry] = ()) -> None:
        """The painter is in this document (None: in none), which has this history."""
        self._here = document.key if document is not None else ""
        if document is None or document.key in self._strips:
            return
        self._find_strip(document)
        if document.key not in self._strips:
            self._take_up(document, history)

    def _take_up(self, document: Document, history: Sequence[HistoryEntry]) -> None:
        """A document that was painted in before this panel was open has its last results."""
        try:
            found = last_results(self._editor, document, history)
            if found is not None:
                self._strip_of(document.key).take_up(*found)
        except (DocumentClosed, LayerGone):
            self._strips.pop(document.key, None)

    def place_of(self, record: Record) -> Place:
        """Where in the stack the next result of a job goes. Raises DocumentClosed."""
        layers = self._editor.layers(record.document)
        place = place_now(record.place, record.anchor.stack, layers)
        return self._earlier.topmost(record.document, place, layers)

    def deliver(self, task: Task, result: Result) -> None:
        """A variant is complete. Raises ValueError when its document cannot take it."""
        task.results.append(result)
        home = self.bring_home(task)
        if task.homeless or home is None:
            self._offer(task, [result], "closed")
            return
        strip = self._strip_of(home.key)
        if strip.record is None or strip.record.job != task.record.job:
            self._clear(strip)
            strip.begin(task.record)
        strip.results.append(result)
        if task.orphan and (there := layers_with(self._editor, home.key, result.recipe)):
            strip.stands_already(result, there)
        waiting = any(waits is task for waits, _ in self._waiting)
        if not result.warning and not waiting and not strip.anything_inserted:
            self._waiting.append((task, result))
            self.try_again()
        if not task.homeless:
            remember(self._editor, task.record, result)

    def bring_home(self, task: Task) -> Document | None:
        """Find the document of a job, under another key, too; None while it is not open."""
        home = home_of(task.record, self._editor.documents())
        if home is not None and home.key != task.record.document:
            if home.key not in self._strips:
                self._find_strip(home)
            keys = keys_now(self._editor, home, task.record.anchor.stack)
            task.record = task.record.opened_again(home, keys)
        return home

    def _find_strip(self, document: Document) -> None:
        """A document that was closed and is open again has the results that it had."""
        documents = self._editor.documents()
        open_now = {each.key for each in documents}
        for key, strip in list(self._strips.items()):
            record = strip.record
            home = home_of(record, documents) if record is not None else None
            if record is None or home is None or key in open_now or home.key != document.key:
                continue
            keys = keys_now(self._editor, document, [*record.anchor.stack, *strip.stack])
            self._earlier.opened_again(key, document.key, keys)
            strip.opened_again(record.opened_again(document, keys), keys)
            self._strips[document.key] = self._strips.pop(key)

    def take_home(self) -> None:
        """What was offered because its document was closed goes in when that is open again.

        Raises ValueError when the document cannot take it.
        """
        for job, offer in list(self._offers.items()):
            task = offer.task
            if offer.why != "closed" or self.bring_home(task) is None:
                continue
            del self._offers[job]
            ended, task.ended = task.ended, False
            task.homeless, task.results = False, []
            try:
                for result in offer.results:
                    self.deliver(task, result)
            finally:
                task.ended = ended
                if ended:
                    self.end(task)

    def end(self, task: Task) -> None:
        """The server has nothing more for this task."""
        job = task.record.job
        if job in self._offers or any(waiting is task for waiting, _ in self._waiting):
            return
        if task.safe:
            self._unsafe.pop(job, None)
            self._settle(task)
        else:
            self._unsafe[job] = task

    def warning(self, task: Task) -> str:
        """What is wrong with all the results of a task; empty when one of them is right."""
        if all(result.warning for result in task.results):
            return next((result.warning for result in task.results), "")
        return ""

    def try_again(self, at_once: bool = False) -> None:
        """Insert what waits, unless a hand is painting: then soon. Raises ValueError.

        `at_once` is for a painter who has asked for it.
        """
        why = ""
        try:
            for task, result in list(self._waiting):
                if not at_once and self._editor.busy(task.record.document):
                    why = why or self._editor.why_busy(task.record.document)
                    continue
                self._waiting = [each for each in self._waiting if each[1] is not result]
                self._let_in(task, result)
        finally:
            self.waits_for = why
            if self._waiting and not self._asleep:
                self._asleep = True
                self._editor.call_later(HAND_RESTS_AFTER, self._wake)

    def _let_in(self, task: Task, result: Result) -> None:
        try:
            self._insert(task, result)
        except DocumentClosed:
            self._offer(task, [result], "closed")
        except PlaceLost:
            self._offer(task, [result], "turned")
        finally:
            if task.ended:
                self.end(task)

    def after_conversion(self) -> None:
        """The document can take a layer in colour now: insert what it refused."""
        results = self.strip.results
        if results and not self.strip.anything_inserted and not self._waiting:
            self._choose(lambda: self.strip.show(results[0]))

    def show(self, index: int) -> None:
        """The painter has chosen a result."""
        if (result := self._result(index)) is not None:
            self._choose(lambda: self.strip.show(result))

    def keep(self, index: int) -> None:
        """The painter wants a result to stay."""
        if (result := self._result(index)) is not None:
            self._choose(lambda: self.strip.keep(result))

    def discard(self) -> None:
        """The painter throws the shown result away, or all where none is shown.

        Raises ValueError, and then nothing has changed.
        """
        record = self.strip.record
        self.strip.discard()
        if record is not None and self.strip.record is None:
            thrown = [task for task, _ in self._waiting if task.record.job == record.job]
            self._waiting = [each for each in self._waiting if each[0].record.job != record.job]
            for task in thrown:
                task.results = []
                if task.ended:
                    self.end(task)
            self._let_go(record.job)

    def look_again(self) -> None:
        """Notice what the painter has deleted, undone or closed."""
        try:
            self.strip.look_again()
        except DocumentClosed:
            for result in self.strip.results:
                result.keys = []

    def insert_offer(self, document: Document, layer: LayerInfo | None) -> None:
        """Put the oldest offer into a document, where it was meant to be if that is on it.

        Raises ValueError when the document cannot take it; the offer then stays.
        """
        offered = self.offered
        if offered is None:
            return
        task, results = offered.task, offered.results
        moved = _shift(task.record.region, document)
        record = replace(
            task.record,
            document=document.key,
            title=document.title,
            file=document.file,
            region=task.record.region.moved(*moved),
            place=Place(layer.key if layer is not None else None),
            replaces=[],
            hides=[],
            like="",
            patches="",
            mask_bounds=None,
            mask="",
            anchor=Anchor(),
        )
        strip = Strip(self._editor, self._earlier)
        strip.begin(record)
        strip.results = [result.moved(*moved) for result in results]
        strip.show(strip.results[0])
        for result in strip.results:
            remember(self._editor, record, result)
        task.record, task.results = record, strip.results
        self._clear(self._strip_of(document.key))
        self._strips[document.key] = strip
        self._drop_offer(task)

    def dismiss_offer(self) -> None:
        """Let the oldest offer go."""
        if self.offered is not None:
            self._drop_offer(self.offered.task)

    def _drop_offer(self, task: Task) -> None:
        del self._offers[task.record.job]
        if task.ended:
            self._settle(task)

    def _insert(self, task: Task, result: Result) -> None:
        strip = self._strip_of(task.record.document)
        if strip.record is not None and strip.record.job == task.record.job:
            if not strip.anything_inserted:
                strip.show(result)
            return
        # Another job's results have taken the strip while a hand was painting.
        own = Strip(self._editor, self._earlier)
        own.begin(task.record)
        own.results = [result]
        own.show(result)

    def _choose(self, act: Callable[[], None]) -> None:
        strip = self.strip
        record = strip.record
        try:
            act()
        except (DocumentClosed, PlaceLost) as error:
            if record is None:
                return
            task = self._unsafe.pop(record.job, None) or Task(record, ended=True)
            self._offer(
                task, list(strip.results), "turned" if isinstance(error, PlaceLost) else "closed"
            )
            strip.begin(record)
            return
        if record is not None and (task := self._unsafe.get(record.job)) is not None:
            self.end(task)

    def _result(self, index: int) -> Result | None:
        return self.strip.results[index] if 0 <= index < len(self.strip.results) else None

    def _strip_of(self, document: str) -> Strip:
        return self._strips.setdefault(document, Strip(self._editor, self._earlier))

    def _clear(self, strip: Strip) -> None:
        """Newer results take a strip: those that the painter never took are let go.

        What its document refused is not for us to throw away.
        """
        if strip.record is None:
            return
        task = self._unsafe.get(strip.record.job)
        refused = [each for each in task.results if not each.warning] if task is not None else []
        if task is not None and refused:
            del self._unsafe[strip.record.job]
            self._offer(task, refused, "refused")
        else:
            self._let_go(strip.record.job)

    def _let_go(self, job: str) -> None:
        task = self._unsafe.pop(job, None)
        if task is not None:
            self._settle(task)

    def _offer(self, task: Task, results: list[Result], why: Why) -> None:
        task.homeless = True
        strip = self._strips.get(task.record.document)
        for result in results:
            result.keys, result.kept = [], False
        if strip is not None:
            left = [each for each in strip.results if not any(each is one for one in results)]
            strip.results = left
        offer = self._offers.setdefault(task.record.job, Offer(task, why))
        offer.results.extend(results)

    def _wake(self) -> None:
        self._asleep = False
        before, problem = self.waits_for, ""
        try:
            self.try_again()
        except ValueError as error:
            problem = str(error)
        except Exception:
            log.exception("a result could not be inserted")
            problem = "The layer could not be inserted; it waits below."
        if not self._asleep or problem or self.waits_for != before:
            self._arrived(problem)


def _shift(region: Rect, document: Document) -> tuple[int, int]:
    """How far a region has to go to lie on a document: not at all, or to its middle."""
    canvas = Rect(0, 0, document.size.width, document.size.height)
    if region.common(canvas) is not None:
        return 0, 0
    return (
        (canvas.width - region.width) // 2 - region.x,
        (canvas.height - region.height) // 2 - region.y,
    )
