"""One Ctrl+Z for what is several steps in Krita's undo history.

Krita lets scripts add and remove layers, each a step of its own, and not join steps. So it is
noted between which places of the history the steps of one deed lie, and whenever an undo or a redo
stops between them, it is taken on to the end in the same direction. Only there: at any other place
of the history, whatever the stack looks like, an undo is the painter's own. (Krita's history docker
still lists the steps.) What a deed hides is followed in the same way: Krita notes no step for it.
"""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass, field
from typing import Any

from acetate_krita.adapter import layers as stack
from acetate_krita.adapter.documents import Documents
from acetate_krita.adapter.hand import HandWatch
from acetate_krita.adapter.undo_history import History, Position
from acetate_krita.qt import QtCore

log = logging.getLogger("acetate.krita")

_MOST_CHAINS = 100
_LOOK_AGAIN = (0.05, 0.3, 0.8)
_SETTLES_WITHIN = 20


@dataclass(frozen=True)
class Chain:
    """A deed: the places before and after it, and all steps of the history up to its end."""

    start: int
    end: int
    steps: tuple[str, ...]

    def holds(self, position: Position) -> bool:
        """Whether a place lies in the middle of this very deed."""
        same = position.steps[: self.end] == self.steps
        return same and self.start < position.index < self.end


@dataclass
class Recorder:
    """Counts the steps of one deed."""

    count: int = 0

    def mark(self) -> None:
        """A step has been made."""
        self.count += 1


@dataclass
class Deed:
    """Steps in a document that belong together; `start` is None while the painter is elsewhere.

    `sure`: the history has all of them, and nothing else since `start`.
    """

    key: str
    start: Position | None = None
    steps: Recorder = field(default_factory=Recorder)
    tries: int = 0
    sure: bool = False

    def is_done(self, position: Position) -> bool:
        """Whether the history stands behind its first step."""
        start = self.start
        if start is None or position.index <= start.index:
            return False
        return position.steps[: start.index] == start.steps[: start.index]


@dataclass
class _Hidden:
    """Layers of the painter's that are hidden while one of our layers stands for them.

    `deed` hid them, and `ends` let them be seen again.
    """

    ours: set[str]
    sources: tuple[str, ...]
    deed: Deed
    ends: list[Deed] = field(default_factory=list[Deed])
    hidden: bool = True

    def is_due(self, position: Position | None) -> bool | None:
        """Whether the history has them hidden at this place; None where it does not tell."""
        if position is None or not all(each.sure for each in (self.deed, *self.ends)):
            return None
        return self.deed.is_done(position) and not any(end.is_done(position) for end in self.ends)


class UndoChains:
    """Knows, for each document, the places of its history in which an undo must not stop."""

    def __init__(self, documents: Documents, application: Any) -> None:
        self._documents = documents
        self._history = History(application)
        # How many were begun; an undo leaves it as it is.
        self.deeds = 0
        self._chains: dict[str, list[Chain]] = {}
        self._hidden: dict[str, list[_Hidden]] = {}
        self._ours: dict[str, set[str]] = {}
        self._active: dict[str, str] = {}
        self._exchanged: dict[str, list[tuple[str, str]]] = {}
        self._present: dict[str, set[str]] = {}
        self._touched: set[str] = set()
        self._looks = 0
        self._following = False
        self._watched: list[Any] = []
        self._hand = HandWatch(self._note_choice)

    def begin(self, key: str) -> Deed:
        """What is marked in this deed's steps, until it is filed, is undone and redone as one."""
        self.deeds += 1
        active = self._documents.active()
        here = active is not None and active[0] == key
        return Deed(key, self._history.position() if here else None)

    def begin_late(self, deed: Deed) -> None:
        """The painter has come to the document of a deed: its steps are the last ones there."""
        if deed.start is None and (now := self._history.position()) is not None:
            deed.start = Position(max(0, now.index - deed.steps.count), now.steps)

    def file(self, deed: Deed) -> bool:
        """Note a deed whose steps are all made; False while Krita has not filed them."""
        now = self._history.position()
        if deed.start is None or now is None:
            return True
        end = deed.start.index + deed.steps.count
        if now.index < end:
            deed.tries += 1
            return deed.tries > _SETTLES_WITHIN
        deed.sure = now.index == end and len(now.steps) < self._history.most_steps()
        if deed.steps.count < 2 or not deed.sure:
            return True
        chains = self._chains.setdefault(deed.key, [])
        chains.append(Chain(deed.start.index, end, now.steps[:end]))
        del chains[:-_MOST_CHAINS]
        return True

    def position(self) -> Position | None:
        """Where the active document stands in its history; None when Krita does not say."""
        return self._history.position()

    @property
    def settled(self) -> bool:
        """Whether no undo or redo is being followed."""
        return not self._looks

    def close(self) -> None:
        """Look at no more events: Krita quits."""
        self._hand.end()

    def know(self, key: str, ours: list[str]) -> None:
        """These layers and groups are Acetate's."""
        self._ours.setdefault(key, set()).update(ours)
        self._present.setdefault(key, set()).update(ours)

    def forget(self, key: str, ours: list[str]) -> None:
        """These are taken out by a deed, which is no undo."""
        self._present.setdefault(key, set()).difference_update(ours)

    def present(self, key: str, document: Any) -> set[str]:
        """Those of Acetate's layers and groups that are in the document now."""
        ours = self._ours.get(key, set())
        return {each for each in ours if stack.find(document, each) is not None}

    def note_active(self, key: str, layer: str) -> None:
        """The painter works on this layer; what Krita turns to after an undo does not count."""
        if not self._looks or self._hand.has_acted:
            self._active[key] = layer

    def _note_choice(self) -> None:
        """The painter has pressed something since an undo: what is active now, they want so."""
        active = self._documents.active()
        node = self._documents.active_node(active[1]) if active is not None else None
        if active is not None and node is not None:
            self._active[active[0]] = stack.key_of(node)
        self._touched.clear()

    def hide(self, deed: Deed, document: Any, ours: list[str], sources: tuple[str, ...]) -> None:
        """Hide layers for as long as one of ours is in the stack, undo and redo included."""
        if sources:
            self._hidden.setdefault(deed.key, []).append(_Hidden(set(ours), sources, deed))
            _show(document, sources, False)

    def show(self, deed: Deed, document: Any, sources: tuple[str, ...]) -> None:
        """Let layers be seen again that were hidden for one of ours."""
        for each in self._hidden.get(deed.key, []):
            if each.hidden and set(each.sources).intersection(sources):
                each.hidden = False
                each.ends.append(deed)
        _show(document, sources, True)

    def replace(self, key: str, old: list[str], new: list[str]) -> None:
        """Layers of ours stand for others now: for the same hidden ones, and under the hand."""
        self._exchanged.setdefault(key, []).extend(zip(old, new))  # noqa: B905 (Python 3.8)
        for hidden in self._hidden.get(key, []):
            if hidden.ours.intersection(old):
                hidden.ours.update(new)

    def look(self) -> None:
        """Follow what an undo or a redo did to our layers, however it was asked for.

        Where the painter has taken them out, or merged them, what they stood for stays hidden.
        """
        active = self._documents.active()
        if active is None or active[0] not in self._hidden:
            return
        key, document = active
        position = self._history.position()
        for each in self._hidden[key]:
            there = any(stack.find(document, ours) is not None for ours in each.ours)
            if there != each.hidden and each.is_due(position) in (there, None):
                each.hidden = there
                _show(document, each.sources, not there)

    def _give_back_active(self, key: str, document: Any) -> None:
        """Where our layers went or came, Krita turns to these or their neighbours.

        An undo of the painter's own steps is left alone, and so is what they chose afterwards.
        """
        present = self.present(key, document)
        if present != self._present.get(key):
            self._present[key] = present
            self._touched.add(key)
        node, wanted = self._documents.active_node(document), self._active.get(key, "")
        if key not in self._touched or self._hand.has_acted:
            return
        if node is not None and stack.key_of(node) == wanted:
            return
        before = self._in_its_place(key, document, wanted)
        if before is not None:
            document.setActiveNode(before)

    def _in_its_place(self, key: str, document: Any, wanted: str) -> Any | None:
        """A layer, or the one that was replaced by it or replaces it at this place of history."""
        linked = [wanted]
        for each in linked:
            node = stack.find_any(document, each)
            if node is not None:
                return node
            for pair in self._exchanged.get(key, []):
                if each in pair:
                    linked.extend(other for other in pair if other not in linked)
        return None

    def watch(self, action: Any) -> None:
        """Follow a window's undo or redo, however the painter asks for it."""
        if action not in self._watched:
            self._watched.append(action)
            action.triggered.connect(functools.partial(self._follow, action))
            action.destroyed.connect(functools.partial(self._forget_action, action))

    def _forget_action(self, action: Any, *_: object) -> None:
        """Its window has closed."""
        self._watched = [each for each in self._watched if each is not action]

    def _lives(self, action: Any) -> bool:
        """Whether its window is still there; it may close while an undo is followed."""
        return any(each is action for each in self._watched)

    def _follow(self, action: Any, *_: object) -> None:
        active = self._documents.active()
        if self._following or active is None:
            return
        if not self._ours.get(active[0]):
            return
        self._hand.begin()
        self._go_on(action)
        # Krita puts an undo off while it is busy drawing: look again a little later.
        for seconds in _LOOK_AGAIN:
            self._looks += 1
            QtCore.QTimer.singleShot(round(seconds * 1000), functools.partial(self._later, action))

    def _later(self, action: Any) -> None:
        self._looks -= 1
        self._go_on(action)
        if not self._looks:
            self._touched.clear()
            self._hand.end()

    def _go_on(self, action: Any) -> None:
        active = self._documents.active()
        if self._following or active is None or not self._lives(action):
            return
        key, document = active
        self._following = True
        try:
            for _step in range(_MOST_CHAINS):
                document.waitForDone()
                position = self._history.position()
                if position is None or not self._lives(action) or not action.isEnabled():
                    break
                if not any(chain.holds(position) for chain in self._chains.get(key, [])):
                    break
                action.trigger()
            self.look()
            self._give_back_active(key, document)
        except Exception:
            log.exception("an undo could not be followed")
        finally:
            self._following = False


def _show(document: Any, keys: tuple[str, ...], visible: bool) -> None:
    for key in keys:
        node = stack.find(document, key)
        if node is not None and node.visible() != visible:
            node.setVisible(visible)
    document.refreshProjection()
