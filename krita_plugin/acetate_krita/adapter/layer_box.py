"""Krita's layer docker: what is active and selected there, and how our own layer is moved.

Krita makes every new layer the active one as soon as its loop has turned, and scripts can put a
layer above another only. So after an insertion the selection is put back, and a layer of ours that
has to go to the bottom is moved there as a hand would move it, by dropping it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from acetate_krita.adapter import layers as stack
from acetate_krita.adapter.views import active_node, layer_tree
from acetate_krita.qt import Qt, QtCore


@dataclass
class Attention:
    """What was active and selected in a document, by the keys and the docker's own indexes."""

    active: str
    current: Any = None
    selected: list[Any] = field(default_factory=list[Any])


class LayerBox:
    """The layer docker of the active window, which shows the active document."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def attention(self, document: Any) -> Attention:
        """What the painter has chosen in the active document."""
        node = active_node(self._application, document)
        found = Attention(stack.key_of(node) if node is not None else "")
        tree = self._tree()
        if tree is not None and tree.selectionModel() is not None:
            chosen = tree.selectionModel()
            persistent = QtCore.QPersistentModelIndex
            found.current = persistent(chosen.currentIndex())
            found.selected = [persistent(index) for index in chosen.selectedIndexes()]
        return found

    def give_back(self, document: Any, attention: Attention) -> None:
        """Make the same layers active and selected again."""
        tree = self._tree()
        current = attention.current
        if tree is None or current is None or not current.isValid():
            node = stack.find_any(document, attention.active)
            if node is not None:
                document.setActiveNode(node)
            return
        chosen, flags = tree.selectionModel(), QtCore.QItemSelectionModel
        flag = getattr(flags, "SelectionFlag", flags)
        # By itself first: Krita takes the last of several for the active one.
        chosen.setCurrentIndex(QtCore.QModelIndex(current), flag.ClearAndSelect)
        for index in attention.selected:
            if index.isValid() and index != current:
                chosen.select(QtCore.QModelIndex(index), flag.Select)

    def drop_to_the_bottom(self, document: Any, node: Any) -> bool:
        """Move the active layer, which must be this one, below its siblings; one undo step.

        False while Krita has not made it the active one: its loop has to turn.
        """
        active, tree = active_node(self._application, document), self._tree()
        if tree is None or active is None or stack.key_of(active) != stack.key_of(node):
            return False
        index, model = tree.selectionModel().currentIndex(), tree.model()
        if not index.isValid() or model.data(index) != node.name():
            return False
        inside = index.parent()
        move = Qt.DropAction.MoveAction
        data = model.mimeData([index])
        dropped = model.dropMimeData(data, move, model.rowCount(inside), 0, inside)
        document.waitForDone()
        return bool(dropped)

    def _tree(self) -> Any | None:
        return layer_tree(self._application)
