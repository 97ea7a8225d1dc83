"""What can only be done after an insertion, when Krita's loop has turned.

Its own layers go to the bottom where they belong there, what the painter had active and selected is
so again, and the steps of the deed are noted as one. In a document that the painter is not in, all
this waits until they come to it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from acetate_krita.adapter import layers as stack
from acetate_krita.adapter.documents import Documents
from acetate_krita.adapter.layer_box import Attention, LayerBox
from acetate_krita.adapter.undo import Deed, UndoChains
from acetate_krita.qt import QtCore

log = logging.getLogger("acetate.krita")

_TURN = 0
_AGAIN = 25
_ELSEWHERE = 300
_MOST_TRIES = 80
_LOOKS_AFTERWARDS = (60, 200)


class Settling:
    """One deed in one document; `done` is called when nothing is left to be done."""

    def __init__(
        self,
        documents: Documents,
        box: LayerBox,
        chains: UndoChains,
        deed: Deed,
        attention: Attention | None,
        to_the_bottom: list[Any],
        new: list[Any],
        done: Callable[[], None],
    ) -> None:
        self._documents, self._box, self._chains = documents, box, chains
        self._deed, self._attention = deed, attention
        self._to_the_bottom, self._done = to_the_bottom, done
        self._new = {stack.key_of(node) for node in new}
        self._tries = 0
        self._looks_afterwards = list(_LOOKS_AFTERWARDS) if new else []
        self._wait(_TURN)

    def active(self, document: Any) -> str:
        """The layer that the painter works on, where Krita has turned to one of ours meanwhile."""
        node = self._documents.active_node(document)
        ours = node is None or stack.key_of(node) in self._new
        return self._attention.active if self._attention is not None and ours else ""

    def turn_to(self, layer: str) -> None:
        """The painter works on this layer now: what was active before is not given back."""
        self._attention = Attention(layer)

    def _wait(self, milliseconds: int) -> None:
        QtCore.QTimer.singleShot(milliseconds, self._go_on)

    def _go_on(self) -> None:
        try:
            wait = self._step()
        except Exception:
            log.exception("an insertion could not be settled")
            wait = None
        if wait is not None:
            self._wait(wait)
        else:
            self._done()

    def _step(self) -> int | None:
        """Do what can be done; returns when to go on, in milliseconds, or None at the end."""
        found = self._documents.all().get(self._deed.key)
        active = self._documents.active()
        if found is None:
            return None
        if active is None or active[0] != self._deed.key:
            return _ELSEWHERE
        self._tries += 1
        if self._tries == 1:
            self._chains.begin_late(self._deed)
        if self._attention is None:
            self._attention = self._box.attention(found)
        if self._to_the_bottom and self._tries < _MOST_TRIES:
            node = self._to_the_bottom[0]
            if not self._box.drop_to_the_bottom(found, node):
                if self._tries > 1:
                    found.setActiveNode(node)
                return _AGAIN
            self._deed.steps.mark()
            self._to_the_bottom.pop(0)
            return _TURN
        self._give_back(found)
        if not self._chains.file(self._deed):
            return _AGAIN
        # Krita turns to a layer that was added or moved a little later once more.
        return self._looks_afterwards.pop(0) if self._looks_afterwards else None

    def _give_back(self, document: Any) -> None:
        node = self._documents.active_node(document)
        if node is None or self._attention is None or not self._attention.active:
            return
        if stack.key_of(node) in self._new and stack.key_of(node) != self._attention.active:
            self._box.give_back(document, self._attention)
