"""Rows of thumbnails: results to choose from, and the history."""

from __future__ import annotations

import functools
from collections.abc import Callable

from acetate_bridge.panel.view import Thumbnail
from acetate_krita.qt import QAction, Qt, QtCore, QtGui, QtWidgets
from acetate_krita.widgets.pictures import on_checkerboard

RESULT_SIDE = 64
HISTORY_SIDE = 44


class Strip(QtWidgets.QScrollArea):
    """Thumbnails side by side, each a button; `choose` is called with its place in the row.

    `more` are the words of what the menu of the other mouse button offers, and what it does.
    `peek` is called while the pointer or the keyboard is on one, `leave` afterwards.
    """

    def __init__(
        self,
        side: int,
        choose: Callable[[int], None],
        more: tuple[str, Callable[[int], None]] | None = None,
        peek: Callable[[int], None] | None = None,
        leave: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._peek, self._leave = peek, leave
        self._away = PointerWatch(self, _nothing, leave or _nothing)
        self._more = more
        self._side, self._choose = side, choose
        self._shown: tuple[Thumbnail, ...] = ()
        self.buttons: list[QtWidgets.QToolButton] = []
        self.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumWidth(40)
        inner = QtWidgets.QWidget()
        self._row = QtWidgets.QHBoxLayout(inner)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        self._row.addStretch(1)
        self.setWidget(inner)

    def show_all_of(self, thumbnails: tuple[Thumbnail, ...]) -> None:
        """Draw these, unless they stand there already; the keyboard stays where it is."""
        if thumbnails == self._shown:
            return
        focused = next((i for i, each in enumerate(self.buttons) if each.hasFocus()), None)
        self._shown = thumbnails
        if self.buttons and self._leave is not None:
            self._away.leave()
        for button in self.buttons:
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons = [self._button(index, each) for index, each in enumerate(thumbnails)]
        for index, button in enumerate(self.buttons):
            self._row.insertWidget(index, button, 0, Qt.AlignmentFlag.AlignTop)
        if focused is not None and focused < len(self.buttons):
            self.buttons[focused].setFocus()
        if self.buttons:
            bar = self.horizontalScrollBar().sizeHint().height()
            tallest = max(button.sizeHint().height() for button in self.buttons)
            self.setFixedHeight(tallest + bar)

    def _button(self, index: int, thumbnail: Thumbnail) -> QtWidgets.QToolButton:
        button = QtWidgets.QToolButton()
        button.setAutoRaise(True)
        button.setCheckable(True)
        button.setChecked(thumbnail.shown)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        ratio = self.devicePixelRatioF()
        pixmap = on_checkerboard(thumbnail.image, self._side, self._side, ratio)
        button.setIcon(QtGui.QIcon(pixmap))
        button.setIconSize(QtCore.QSize(self._side, self._side))
        words = _mark(thumbnail)
        if words:
            button.setText(words)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        tip = " · ".join(words for words in (thumbnail.tip, thumbnail.warning) if words)
        button.setToolTip(tip)
        button.setAccessibleName(tip or "Thumbnail")

        def choose() -> None:
            button.setChecked(thumbnail.shown)
            self._choose(index)

        button.clicked.connect(choose)
        if self._peek is not None and self._leave is not None:
            PointerWatch(button, functools.partial(self._peek, index), self._leave)
        if self._more is not None:
            words, act = self._more
            entry = QAction(words, button)
            entry.triggered.connect(lambda *_: act(index))
            button.addAction(entry)
            button.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        return button


class PointerWatch(QtCore.QObject):
    """Tells when the pointer or the keyboard comes to a widget, and when it leaves."""

    _moved = QtCore.pyqtSignal(bool)

    def __init__(
        self, watched: QtWidgets.QWidget, come: Callable[[], None], leave: Callable[[], None]
    ) -> None:
        super().__init__(watched)
        self._come, self._leave = come, leave
        # Not from within the event: what follows may take the widget away.
        self._moved.connect(self._tell, Qt.ConnectionType.QueuedConnection)
        watched.installEventFilter(self)

    def leave(self) -> None:
        """What was under the pointer is not there any more."""
        self._moved.emit(False)

    def eventFilter(self, watched: object, event: QtCore.QEvent) -> bool:  # noqa: N802 (Qt's name)
        kinds = QtCore.QEvent.Type
        if event.type() in (kinds.Enter, kinds.FocusIn):
            self._moved.emit(True)
        elif event.type() in (kinds.Leave, kinds.FocusOut):
            self._moved.emit(False)
        return False

    def _tell(self, here: bool) -> None:
        (self._come if here else self._leave)()


def _nothing() -> None:
    return None


def _mark(thumbnail: Thumbnail) -> str:
    """In words, as a colour alone would not tell everybody."""
    if thumbnail.kept:
        return "kept"
    if thumbnail.shown:
        return "shown"
    return "check" if thumbnail.warning else ""
