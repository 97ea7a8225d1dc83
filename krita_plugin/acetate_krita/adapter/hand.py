"""The painter's hand: whether it or a tool is in the middle of something, and when it acts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acetate_krita.adapter.views import active_node
from acetate_krita.qt import Qt, QtCore, QtWidgets

_OWN_DOCKER = "acetate_docker"
_TEXT_TOOL = "SvgTextTool"

_PRESSES = (
    QtCore.QEvent.Type.MouseButtonPress,
    QtCore.QEvent.Type.TabletPress,
    QtCore.QEvent.Type.TouchBegin,
)
_KEYS = (QtCore.QEvent.Type.ShortcutOverride, QtCore.QEvent.Type.KeyPress)
_MODIFIERS = (Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_Meta)


def is_busy(application: Any, document: Any | None) -> bool:
    """Whether a layer should not come in now.

    A stroke, a transformation that is not confirmed, a dialog that is open, a text or a layer's
    name that is typed.
    """
    everything = QtWidgets.QApplication
    if everything.mouseButtons() != Qt.MouseButton.NoButton:
        return True
    if everything.activePopupWidget() is not None or everything.activeModalWidget() is not None:
        return True
    if any(each.inherits("QDialog") and each.isVisible() for each in everything.topLevelWidgets()):
        return True
    if _is_naming():
        return True
    if document is None:
        return False
    # A pen holds no mouse button, but a stroke is open; so it is while something is transformed.
    if not document.tryBarrierLock():
        return True
    document.unlock()
    return _is_typing(application, document)


def _is_naming() -> bool:
    """Whether a name is typed into a list: Krita ends that when the stack changes."""
    focus = QtWidgets.QApplication.focusWidget()
    if focus is None or not focus.inherits("QLineEdit"):
        return False
    while focus is not None and not focus.inherits("QAbstractItemView"):
        focus = focus.parentWidget()
    return focus is not None


def _is_typing(application: Any, document: Any) -> bool:
    """Whether keys go into a text on the canvas: Krita ends that when the stack changes."""
    window = application.activeWindow()
    tool = window.qwindow().findChild(QtWidgets.QToolButton, _TEXT_TOOL) if window else None
    if tool is None or not tool.isChecked():
        return False
    focus = QtWidgets.QApplication.focusWidget()
    while focus is not None and focus.objectName() != _OWN_DOCKER:
        focus = focus.parentWidget()
    if focus is not None:
        return False
    node = active_node(application, document)
    shapes = node.shapes() if node is not None and node.type() == "vectorlayer" else []
    return any(shape.isSelected() for shape in shapes)


class HandWatch(QtCore.QObject):
    """Sees, while it is on, whether the painter has pressed anything since `begin`.

    `acted` is called when Krita has done what was pressed.
    """

    def __init__(self, acted: Callable[[], None]) -> None:
        super().__init__()
        self._acted = acted
        self.has_acted = False

    def begin(self) -> None:
        """What is pressed from now on counts."""
        self.has_acted = False
        QtWidgets.QApplication.instance().installEventFilter(self)

    def end(self) -> None:
        """Look no more."""
        QtWidgets.QApplication.instance().removeEventFilter(self)

    def eventFilter(self, watched: Any, event: Any) -> bool:  # noqa: N802 (Qt's name)
        kind = event.type()
        if kind in _PRESSES or (kind in _KEYS and event.key() not in _MODIFIERS):
            self.has_acted = True
            QtCore.QTimer.singleShot(0, self._after)
        return False

    def _after(self) -> None:
        # The key of an undo is a press as well: it begins anew.
        if self.has_acted:
            self._acted()
