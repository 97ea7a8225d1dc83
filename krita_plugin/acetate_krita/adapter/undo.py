"""One Ctrl+Z for what is several steps in Krita's undo history.

Krita lets scripts add and remove layers, each a step of its own, and not join steps. So what the
stack looks like between the steps of one deed is remembered, and whenever an undo or a redo stops
there, it is taken on to the end in the same direction. (Krita's history docker still lists them.)
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from acetate_krita.adapter import layers as stack
from acetate_krita.adapter.documents import Documents
from acetate_krita.qt import QtCore

State = tuple[tuple[int, str], ...]
"""The tree: depth and key of every node."""

_MOST_STATES = 400
_LOOK_AGAIN = (0.05, 0.3, 1.0)


class Recorder:
    """Takes down the state after each step of one deed."""

    def __init__(self, look: Callable[[], State]) -> None:
        self._look = look
        self.states: list[State] = []

    def mark(self) -> None:
        """A step has been made."""
        self.states.append(self._look())


class UndoChains:
    """Knows, for each document, the states in which an undo must not stop."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._between: dict[str, dict[State, None]] = {}
        self._following = False
        self._watched: list[Any] = []

    @contextmanager
    def deed(self, key: str, document: Any) -> Iterator[Recorder]:
        """Steps that are marked in here are undone and redone as one."""
        recorder = Recorder(functools.partial(_state, document))
        try:
            yield recorder
        finally:
            known = self._between.setdefault(key, {})
            for state in recorder.states[:-1]:
                known[state] = None
            while len(known) > _MOST_STATES:
                del known[next(iter(known))]

    def watch(self, action: Any) -> None:
        """Follow a window's undo or redo, however the painter asks for it."""
        if action not in self._watched:
            self._watched.append(action)
            action.triggered.connect(functools.partial(self._follow, action))

    def _follow(self, action: Any, *_: object) -> None:
        active = self._documents.active()
        if self._following or active is None or not self._between.get(active[0]):
            return
        self._go_on(action)
        # Krita puts an undo off while it is busy drawing: look again a little later.
        for seconds in _LOOK_AGAIN:
            QtCore.QTimer.singleShot(round(seconds * 1000), functools.partial(self._go_on, action))

    def _go_on(self, action: Any) -> None:
        active = self._documents.active()
        if self._following or active is None:
            return
        key, document = active
        self._following = True
        try:
            for _step in range(_MOST_STATES):
                document.waitForDone()
                between = self._between.get(key, {})
                if _state(document) not in between or not action.isEnabled():
                    break
                action.trigger()
        finally:
            self._following = False


def _state(document: Any) -> State:
    return tuple(_tree(document.rootNode(), 0))


def _tree(node: Any, depth: int) -> Iterator[tuple[int, str]]:
    for child in node.childNodes():
        yield depth, stack.key_of(child)
        yield from _tree(child, depth + 1)
