"""What a hand does on a canvas, counted: Krita tells a plug-in of no stroke."""

from __future__ import annotations

from typing import Any

from acetate_krita.qt import Qt, QtCore, QtWidgets

CANVASES = ("KisOpenGLCanvas2", "KisQPainterCanvas")
"""The classes of the widgets that are painted on."""

_KINDS = QtCore.QEvent.Type
_PRESSES = (_KINDS.TabletPress, _KINDS.TouchBegin)
_RELEASES = (_KINDS.TabletRelease, _KINDS.TouchEnd, _KINDS.TouchCancel)
_COUNTED = (*_RELEASES, _KINDS.MouseButtonRelease, _KINDS.KeyRelease)
_UNASKED_FOR = 2000


class StrokeCount(QtCore.QObject):
    """Counts what ends on a canvas, for as long as somebody asks for it now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self._pen_is_down = False
        self._unasked = QtCore.QTimer(self)
        self._unasked.setSingleShot(True)
        self._unasked.setInterval(_UNASKED_FOR)
        self._unasked.timeout.connect(self.close)

    @property
    def down(self) -> bool:
        """Whether a button or a pen is down."""
        if not self._unasked.isActive():
            QtWidgets.QApplication.instance().installEventFilter(self)
        self._unasked.start()
        buttons = QtWidgets.QApplication.mouseButtons()
        return self._pen_is_down or buttons != Qt.MouseButton.NoButton

    def close(self) -> None:
        """Look no more."""
        self._unasked.stop()
        self._pen_is_down = False
        QtWidgets.QApplication.instance().removeEventFilter(self)

    def eventFilter(self, watched: Any, event: Any) -> bool:  # noqa: N802 (Qt's name)
        kind = event.type()
        if kind in _PRESSES:
            self._pen_is_down = True
        elif kind in _COUNTED:
            if kind in _RELEASES:
                self._pen_is_down = False
            if watched.metaObject().className() in CANVASES:
                self.count += 1
        return False
