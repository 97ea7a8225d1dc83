"""Results on their way into a document: at once, when the hand rests, or as an offer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from acetate_bridge.editing.editor import Document, DocumentClosed, Editor, LayerInfo, Place
from acetate_bridge.editing.job import Record, Result, Task
from acetate_bridge.editing.metadata import add_to_history, entry_of
from acetate_bridge.editing.results import Strip
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Layer

log = logging.getLogger("acetate.panel")

_HAND_RESTS_AFTER = 0.15


class Deliveries:
    """`settle(task)` is called when nothing of an ended task can be lost any more.

    `arrived(problem)` is called when something came in later than it was delivered, or could not
    (a sentence for the painter).
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
        self.strip = Strip(editor)
        self._waiting: list[tuple[Task, Result]] = []
        self._offers: dict[str, tuple[Task, list[Result]]] = {}
        self._asleep = False

    @property
    def offered(self) -> tuple[Task, list[Result]] | None:
        """The oldest result without a document."""
        return next(iter(self._offers.values()), None)

    @property
    def waits_for_the_hand(self) -> bool:
        """A result comes in as soon as nobody paints."""
        return self._asleep

    def deliver(self, task: Task, result: Result) -> None:
        """A variant is complete. Raises ValueError when its document cannot take it."""
        if task.orphan or task.homeless or not self._is_open(task.record.document):
            self._offer(task, [result])
            return
        if self.strip.record is not task.record:
            self.strip.begin(task.record)
        self.strip.results.append(result)
        waiting = any(waits is task for waits, _ in self._waiting)
        if not result.warning and not waiting and not self.strip.anything_inserted:
            self._waiting.append((task, result))
            self.try_again()
        if not task.homeless:
            self._remember(task.record, result)

    def end(self, task: Task) -> None:
        """The server has nothing more for this task."""
        job = task.record.job
        if job not in self._offers and all(waiting is not task for waiting, _ in self._waiting):
            self._settle(task)

    def warning(self, task: Task) -> str:
        """What is wrong with all the results of a task; empty when one of them is right."""
        results = self.strip.results if self.strip.record is task.record else []
        if all(result.warning for result in results):
            return next((result.warning for result in results), "")
        return ""

    def try_again(self) -> None:
        """Insert what waits, unless a hand is painting: then soon. Raises ValueError."""
        while self._waiting:
            if self._editor.busy():
                if not self._asleep:
                    self._asleep = True
                    self._editor.call_later(_HAND_RESTS_AFTER, self._wake)
                return
            task, result = self._waiting.pop(0)
            try:
                self._insert(task, result)
            except DocumentClosed:
                self._offer(task, [result])
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
        task, results = offered
        moved = _shift(task.record.region, document)
        record = replace(
            task.record,
            document=document.key,
            title=document.title,
            region=task.record.region.moved(*moved),
            place=Place(layer.key if layer is not None else None),
            replaces=[],
            mask_bounds=None,
            mask="",
        )
        for result in results:
            result.layers = tuple(_moved(each, *moved) for each in result.layers)
        strip = Strip(self._editor)
        strip.begin(record)
        strip.results = list(results)
        strip.show(results[0])
        for result in results:
            self._remember(record, result)
        self.strip = strip
        self._drop_offer(task)

    def dismiss_offer(self) -> None:
        """Let the oldest offer go."""
        if self.offered is not None:
            self._drop_offer(self.offered[0])

    def _drop_offer(self, task: Task) -> None:
        del self._offers[task.record.job]
        if task.ended:
            self._settle(task)

    def _insert(self, task: Task, result: Result) -> None:
        if self.strip.record is task.record:
            self.strip.show(result)
            return
        # Another job's results have taken the strip while a hand was painting.
        own = Strip(self._editor)
        own.begin(task.record)
        own.results = [result]
        own.show(result)

    def _choose(self, act: Callable[[], None]) -> None:
        record = self.strip.record
        try:
            act()
        except DocumentClosed:
            if record is not None:
                task = Task(record, ended=True)
                self._offer(task, list(self.strip.results))
                self.strip.begin(record)

    def _result(self, index: int) -> Result | None:
        return self.strip.results[index] if 0 <= index < len(self.strip.results) else None

    def _offer(self, task: Task, results: list[Result]) -> None:
        task.homeless = True
        for result in results:
            result.keys, result.kept = [], False
        self._offers.setdefault(task.record.job, (task, []))[1].extend(results)

    def _wake(self) -> None:
        self._asleep = False
        problem = ""
        try:
            self.try_again()
        except ValueError as error:
            problem = str(error)
        except Exception:
            log.exception("a result could not be inserted")
            problem = "The layer could not be inserted; it waits below."
        if not self._asleep:
            self._arrived(problem)

    def _is_open(self, document: str) -> bool:
        return any(each.key == document for each in self._editor.documents())

    def _remember(self, record: Record, result: Result) -> None:
        """Add a result to the history that its document keeps."""
        recipe = result.recipe or record.recipe
        try:
            entry = entry_of(recipe, record.region, result.picture)
            note = add_to_history(self._editor.note(record.document), entry)
            self._editor.keep_note(record.document, note)
        except DocumentClosed:
            log.debug("the document was closed before its history was kept")


def _shift(region: Rect, document: Document) -> tuple[int, int]:
    """How far a region has to go to lie on a document: not at all, or to its middle."""
    canvas = Rect(0, 0, document.size.width, document.size.height)
    if region.common(canvas) is not None:
        return 0, 0
    return (
        (canvas.width - region.width) // 2 - region.x,
        (canvas.height - region.height) // 2 - region.y,
    )


def _moved(layer: Layer, x: int, y: int) -> Layer:
    return replace(layer, x=layer.x + x, y=layer.y + y)
