"""Inside Krita: what a story of the fold asks for, and the layers that it follows."""

from __future__ import annotations

from typing import Any

from acetate_krita.qt import QtCore, QtWidgets
from krita import Krita
from tests.editors.krita.inside import panel


def add_painted(name: str, boxes: list[tuple[int, int, int, int]], colour: list[int]) -> None:
    """A layer on top with these boxes (x, y, width, height) in one colour (blue, green, red)."""
    document = Krita.instance().activeDocument()
    node = document.createNode(name, "paintlayer")
    for x, y, width, height in boxes:
        pixels = QtCore.QByteArray(bytes((*colour, 255)) * (width * height))
        node.setPixelData(pixels, x, y, width, height)
    document.rootNode().addChildNode(node, None)
    document.refreshProjection()


def _scrolled() -> QtWidgets.QScrollArea:
    return panel().findChild(QtWidgets.QScrollArea)


def bar() -> QtWidgets.QWidget:
    """The scroll bar of the panel, on which a wheel turns nothing else."""
    return _scrolled().verticalScrollBar()


def astray(widget: QtWidgets.QWidget) -> int:
    """Whether a widget lies above (-1) or below (1) what is seen of the panel; 0: it is seen."""
    view = _scrolled().viewport()
    middle = widget.mapTo(view, widget.rect().center()).y()
    room = widget.height() // 2
    return -1 if middle < room else int(middle > view.height() - room)


def is_open(box: QtWidgets.QComboBox) -> bool:
    """Whether the list of a menu is unfolded."""
    return bool(box.view().isVisible())


def entry(box: QtWidgets.QComboBox, name: str) -> tuple[int, int]:
    """Where an entry of an unfolded menu is on the screen."""
    view = box.view()
    index = box.model().index(box.findData(name), 0)
    point = view.viewport().mapToGlobal(view.visualRect(index).center())
    return point.x(), point.y()


def entries(name: str) -> list[dict[str, Any]]:
    """What stands in a list of the panel."""
    found = panel()._view.lists[name].entries
    return [{column: each[column].value for column in each} for each in found]


def layer_recipe(name: str) -> str:
    """The recipe that a layer was painted from, as the document keeps it."""
    editor, document = panel()._studio.editor, Krita.instance().activeDocument()
    key = document.nodeByName(name).uniqueId().toString()
    found = editor.active_document()
    return editor.recipe(found.key, key) or ""
