"""What an undo promises in Krita, where one deed may be many steps; run by `panel_checks`."""

from __future__ import annotations

import time

from acetate_krita.adapter.undo import UndoChains
from acetate_krita.adapter.undo_history import Position
from acetate_krita.qt import Qt, QtCore, QtWidgets
from tests.editors.krita.qt_hands import press


class _Document:
    """An undo history without layers: `steps` are its words, `at` is how many are done."""

    def __init__(self, *steps: str) -> None:
        self.steps, self.at = list(steps), len(steps)

    def activeNode(self) -> object:  # noqa: N802 (Krita's name)
        return None

    def nodeByUniqueID(self, key: object) -> object:  # noqa: N802 (Krita's name)
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

    def active_node(self, document: _Document) -> object:
        return document.activeNode()


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


class _Node:
    def __init__(self) -> None:
        self.key = QtCore.QUuid.createUuid()
        self.shown = True

    def visible(self) -> bool:
        return self.shown

    def setVisible(self, shown: bool) -> None:  # noqa: N802 (Krita's name)
        self.shown = shown

    def uniqueId(self) -> QtCore.QUuid:  # noqa: N802 (Krita's name)
        return self.key


class _Stack(_Document):
    """Three layers, of which `ours` goes with an undo; then Krita turns to its neighbour."""

    def __init__(self) -> None:
        super().__init__("Stroke", "Add Layer")
        self.ours, self.painted, self.neighbour = _Node(), _Node(), _Node()
        self.active = self.painted

    def activeNode(self) -> _Node:  # noqa: N802 (Krita's name)
        return self.active

    def setActiveNode(self, node: _Node) -> None:  # noqa: N802 (Krita's name)
        self.active = node

    def nodeByUniqueID(self, key: object) -> _Node | None:  # noqa: N802 (Krita's name)
        there = [self.painted, self.neighbour, *([self.ours] if self.at == 2 else [])]
        return next((node for node in there if node.key == key), None)


def _undone() -> tuple[_Stack, UndoChains]:
    """A layer of ours has gone by an undo while the painter works on another."""
    document = _Stack()
    chains = UndoChains(_Documents(document), None)
    chains._history = document
    chains.know("key", [document.ours.key.toString()])
    chains.note_active("key", document.painted.key.toString())
    undo = _Action(document, -1)
    chains.watch(undo)
    undo.trigger()
    return document, chains


def _until_settled(chains: UndoChains) -> None:
    while not chains.settled:
        QtWidgets.QApplication.processEvents()
        time.sleep(0.01)


def check_a_layer_that_krita_turns_to_after_an_undo_is_turned_back() -> None:
    document, chains = _undone()
    document.active = document.neighbour
    _until_settled(chains)
    assert document.active is document.painted


def check_a_layer_that_the_painter_chooses_right_after_an_undo_stays_chosen() -> None:
    document, chains = _undone()
    document.active = document.neighbour
    press(QtWidgets.QWidget(), Qt.Key.Key_PageDown)
    _until_settled(chains)
    assert document.active is document.neighbour, "the painter was turned away"
    redo, undo = _Action(document, 1), _Action(document, -1)
    for action in (redo, undo):
        chains.watch(action)
        action.trigger()
    document.active = document.painted
    _until_settled(chains)
    assert document.active is document.neighbour, "and this is where the hand goes on"


class _Exchanged(_Stack):
    """`ours` stands in the place of `painted`, which has gone; `neighbour` is its mask."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = ["Stroke", "Add Layer", "Remove Layer"]
        self.at = 3

    def nodeByUniqueID(self, key: object) -> _Node | None:  # noqa: N802 (Krita's name)
        there = [self.neighbour, self.ours if self.at == 3 else self.painted]
        return next((node for node in there if node.key == key), None)


def check_the_hand_follows_an_exchanged_layer_through_undo_and_redo() -> None:
    document = _Exchanged()
    ours, painted = document.ours.key.toString(), document.painted.key.toString()
    chains = UndoChains(_Documents(document), None)
    chains._history = document
    chains.know("key", [ours])
    chains.replace("key", [painted], [ours])
    chains.note_active("key", ours)
    undo, redo = _Action(document, -2), _Action(document, 2)
    chains.watch(undo)
    chains.watch(redo)
    undo.trigger()
    document.active = document.neighbour
    _until_settled(chains)
    assert document.active is document.painted, "the next stroke would go into its mask"
    chains.note_active("key", painted)
    redo.trigger()
    document.active = document.neighbour
    _until_settled(chains)
    assert document.active is document.ours


class _Repainted(_Stack):
    """`ours` stands for `painted`, which it hides, until a hand takes it out (`taken`)."""

    def __init__(self) -> None:
        super().__init__()
        self.steps, self.at, self.taken = ["Stroke"], 1, False
        self.chains = UndoChains(_Documents(self), None)
        self.chains._history = self
        ours, painted = self.ours.key.toString(), self.painted.key.toString()
        deed = self.chains.begin("key")
        self.push("Add Layer")
        deed.steps.mark()
        self.chains.hide(deed, self, [ours], (painted,))
        self.chains.know("key", [ours])
        assert self.chains.file(deed)
        self.undo, self.redo = _Action(self, -1), _Action(self, 1)
        self.chains.watch(self.undo)
        self.chains.watch(self.redo)

    def nodeByUniqueID(self, key: object) -> _Node | None:  # noqa: N802 (Krita's name)
        there = not self.taken and self.at >= 2
        nodes = [self.painted, self.neighbour, *([self.ours] if there else [])]
        return next((node for node in nodes if node.key == key), None)

    def refreshProjection(self) -> None:  # noqa: N802 (Krita's name)
        pass

    def discard(self) -> None:
        deed = self.chains.begin("key")
        self.taken = True
        self.push("Remove Layer")
        deed.steps.mark()
        self.chains.show(deed, self, (self.painted.key.toString(),))
        assert self.chains.file(deed)


def check_what_a_repainting_hides_follows_undo_and_redo() -> None:
    document = _Repainted()
    assert not document.painted.shown
    document.undo.trigger()
    assert document.painted.shown
    document.redo.trigger()
    assert not document.painted.shown
    document.discard()
    assert document.painted.shown
    document.taken = False
    document.undo.trigger()
    assert not document.painted.shown, "the discarding is undone"
    document.taken = True
    document.redo.trigger()
    assert document.painted.shown, "and done again"


def check_a_repainting_that_the_painter_merged_leaves_its_source_hidden() -> None:
    document = _Repainted()
    document.taken = True
    document.push("Merge Down", "Stroke")
    document.undo.trigger()
    assert document.at == 3 and not document.painted.shown, "an undo of a stroke showed it"
    document.redo.trigger()
    assert not document.painted.shown
    document.undo.trigger()
    document.taken = False
    document.undo.trigger()
    assert document.at == 2 and not document.painted.shown, "the merging is undone"
    document.undo.trigger()
    assert document.painted.shown, "and the repainting"
