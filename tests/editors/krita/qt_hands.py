"""A panel under hands, keys and wheel, in either Qt, without a screen."""

from __future__ import annotations

from typing import Any

from acetate_bridge.panel.completion import Completion
from acetate_bridge.panel.view import PanelView
from acetate_krita.qt import Qt, QtCore, QtGui, QtWidgets
from acetate_krita.widgets.panel import Panel


class Told:
    """Takes down what the panel asks for."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.names: tuple[Completion, ...] = ()

    def complete(self, prompt: str, cursor: int) -> tuple[Completion, ...]:
        """What there is to complete with, which asks for nothing."""
        return tuple(each for each in self.names if each.end == cursor)

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.calls.append((name, *arguments))


def shown(view: PanelView) -> tuple[Panel, Told]:
    told = Told()
    panel = Panel(told, lambda name: QtGui.QIcon())
    panel.resize(250, 900)
    panel.show()
    panel.draw(view)
    turn()
    told.calls.clear()
    return panel, told


def turn() -> None:
    for _ in range(3):
        QtWidgets.QApplication.processEvents()


def overrides(widget: Any) -> bool:
    """Whether a field keeps Ctrl+Z for itself."""
    undo = QtGui.QKeyEvent(
        QtCore.QEvent.Type.ShortcutOverride, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier
    )
    undo.ignore()
    QtWidgets.QApplication.sendEvent(widget, undo)
    return undo.isAccepted()


def turn_wheel(widget: Any) -> None:
    middle = QtCore.QPointF(widget.rect().center())
    event = QtGui.QWheelEvent(
        middle,
        QtCore.QPointF(widget.mapToGlobal(widget.rect().center())),
        QtCore.QPoint(0, 0),
        QtCore.QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QtWidgets.QApplication.sendEvent(widget, event)


def press(widget: Any, key: Any, control: bool = False) -> None:
    modifier = Qt.KeyboardModifier
    held = modifier.ControlModifier if control else modifier.NoModifier
    for kind in (QtCore.QEvent.Type.ShortcutOverride, QtCore.QEvent.Type.KeyPress):
        QtWidgets.QApplication.sendEvent(widget, QtGui.QKeyEvent(kind, key, held))
