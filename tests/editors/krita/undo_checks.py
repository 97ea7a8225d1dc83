"""What an undo promises in Krita, where one deed may be many steps; run by `panel_checks`."""

from __future__ import annotations

from acetate_krita.adapter.history import Position
from acetate_krita.adapter.undo import UndoChains
from acetate_krita.qt import QtCore


class _Document:
    """An undo history without layers: `steps` are its words, `at` is how many are done."""

    def __init__(self, *steps: str) -> None:
        self.steps, self.at = list(steps), len(steps)

    def activeNode(self) -> None:  # noqa: N802 (Krita's name)
        return None

    def nodeByUniqueID(self, key: object) -> None:  # noqa: N802 (Krita's name)
        return None

    def waitForDone(self) -> None:  # noqa: N802 (Krita's name)
        pass

    def push(self, *steps: str) -> None:
        self.steps[self.at :] = steps
        self.at = len(self.steps)

    def position(self) -> Position:
        return Position(self.at, tuple(self.steps))

    def most_steps(self) -> int:
        return 200


class _Documents:
    def __init__(self, document: _Document) -> None:
        self.document = document

    def active(self) -> tuple[str, _Document]:
        return "key", self.document


class _Action(QtCore.QObject):
    triggered = QtCore.pyqtSignal(bool)

    def __init__(self, document: _Document, by: int) -> None:
        super().__init__()
        self.document, self.by, self.presses = document, by, 0

    def isEnabled(self) -> bool:  # noqa: N802 (Qt's name)
        return 0 <= self.document.at + self.by <= len(self.document.steps)

    def trigger(self) -> None:
        self.presses += 1
        self.document.at += self.by
        self.triggered.emit(False)


def _chained(document: _Document) -> tuple[_Action, _Action]:
    """Undo and redo after a deed of two steps."""
    chains = UndoChains(_Documents(document), None)
    chains._history = document
    chains.know("key", ["ours"])
    deed = chains.begin("key")
    for _step in range(2):
        document.push("Add Layer")
        deed.steps.mark()
    assert chains.file(deed)
    undo, redo = _Action(document, -1), _Action(document, 1)
    chains.watch(undo)
    chains.watch(redo)
    return undo, redo


def check_steps_of_one_deed_are_undone_and_redone_as_one() -> None:
    document = _Document("Stroke")
    undo, redo = _chained(document)
    undo.trigger()
    assert document.at == 1 and undo.presses == 2
    redo.trigger()
    assert document.at == 3 and redo.presses == 2


def check_an_undo_elsewhere_takes_back_one_step_of_the_painters_and_no_more() -> None:
    document = _Document("Stroke")
    undo, redo = _chained(document)
    document.push("Remove Layer", "Stroke", "Stroke", "Stroke", "Stroke")
    for left in (7, 6, 5, 4, 3):
        undo.trigger()
        assert document.at == left, "a stroke of the painter's went, too"
    undo.trigger()
    assert document.at == 1, "and the deed goes whole"
    document.push("Stroke", "Add Layer", "Paint")
    for left in (3, 2):
        undo.trigger()
        assert document.at == left, "another history has no deed of ours at that place"


def check_a_history_that_is_full_is_followed_no_more() -> None:
    document = _Document(*["Stroke"] * 198)
    undo, _redo = _chained(document)
    document.steps = [*document.steps[1:], "Stroke"]
    undo.trigger()
    assert document.at == 199
