"""Names that fit what is being written: a list below the cursor that never takes the keyboard."""

from __future__ import annotations

from collections.abc import Callable

from acetate_bridge.language.spoken import say
from acetate_bridge.panel.completion import Completion
from acetate_krita.qt import Qt, QtCore, QtGui, QtWidgets

Complete = Callable[[str, int], "tuple[Completion, ...]"]
"""The names that fit before the cursor of a text."""

_KINDS = QtCore.QEvent.Type
_KEYS = Qt.Key
_TAKEN = (_KEYS.Key_Return, _KEYS.Key_Enter, _KEYS.Key_Tab)


class Completer(QtCore.QObject):
    """Offers names in a text: arrows choose one, Tab, Enter or a click takes it, Escape none."""

    def __init__(self, text: QtWidgets.QPlainTextEdit, complete: Complete) -> None:
        super().__init__(text)
        self._text, self._complete = text, complete
        self._found: tuple[Completion, ...] = ()
        self.list = QtWidgets.QListWidget(text)
        self.list.setWindowFlags(Qt.WindowType.ToolTip)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName(say("Names that fit"))
        self.list.itemClicked.connect(lambda item: self._take(self.list.row(item)))
        text.textChanged.connect(self._look)
        text.cursorPositionChanged.connect(self._moved)
        text.installEventFilter(self)

    @property
    def open(self) -> bool:
        """Whether the list is to be seen."""
        return self.list.isVisible()

    def close(self) -> None:
        """Offer nothing until something is typed again."""
        self.list.hide()

    def eventFilter(self, watched: object, event: QtCore.QEvent) -> bool:  # noqa: N802 (Qt's name)
        """Keys of the text that the open list takes for itself."""
        kind = event.type()
        if kind in (_KINDS.FocusOut, _KINDS.Hide):
            self.list.hide()
        elif kind in (_KINDS.KeyPress, _KINDS.ShortcutOverride) and self.open:
            return self._pressed(event, kind == _KINDS.ShortcutOverride)
        return False

    def _pressed(self, event: QtGui.QKeyEvent, asked: bool) -> bool:
        key, row = event.key(), self.list.currentRow()
        if event.modifiers() != Qt.KeyboardModifier.NoModifier:
            return False
        if key not in (*_TAKEN, _KEYS.Key_Up, _KEYS.Key_Down, _KEYS.Key_Escape):
            return False
        if asked:
            # Else Krita would take the key for one of its actions.
            event.accept()
        elif key in _TAKEN:
            self._take(row)
        elif key == _KEYS.Key_Escape:
            self.list.hide()
        else:
            step = 1 if key == _KEYS.Key_Down else -1
            self.list.setCurrentRow((row + step) % self.list.count())
        return True

    def _moved(self) -> None:
        if self.open:
            self._look()

    def _look(self) -> None:
        if not self._text.hasFocus():
            self.list.hide()
            return
        written = self._text.toPlainText()
        self._found = self._complete(written, _characters(written, self._text.textCursor()))
        self.list.clear()
        for each in self._found:
            self.list.addItem(f"{each.name}  ·  {each.detail}" if each.detail else each.name)
        self.list.setCurrentRow(0)
        self.list.setVisible(bool(self._found))
        if self._found:
            self._place()

    def _place(self) -> None:
        rows = self.list.sizeHintForRow(0) * len(self._found) + 2 * self.list.frameWidth()
        width = self.list.sizeHintForColumn(0) + 4 * self.list.frameWidth() + 12
        self.list.resize(min(width, max(self._text.width(), 160)), rows)
        spot = self._text.cursorRect()
        below = self._text.viewport().mapToGlobal(spot.bottomLeft())
        screen = self._text.window().windowHandle()
        room = screen.screen().availableGeometry() if screen is not None else None
        if room is not None:
            if below.y() + rows > room.bottom():
                below.setY(self._text.viewport().mapToGlobal(spot.topLeft()).y() - rows)
            below.setX(max(room.left(), min(below.x(), room.right() - self.list.width())))
        self.list.move(below)

    def _take(self, row: int) -> None:
        if not 0 <= row < len(self._found):
            return
        chosen, written = self._found[row], self._text.toPlainText()
        cursor = self._text.textCursor()
        cursor.setPosition(_units(written[: chosen.start]))
        cursor.setPosition(_units(written[: chosen.end]), QtGui.QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(chosen.text)
        self._text.setTextCursor(cursor)
        self.list.hide()


def _units(text: str) -> int:
    """Qt counts in halves of some characters."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _characters(text: str, cursor: QtGui.QTextCursor) -> int:
    units = text.encode("utf-16-le", "surrogatepass")[: 2 * cursor.position()]
    return len(units.decode("utf-16-le", "ignore"))
