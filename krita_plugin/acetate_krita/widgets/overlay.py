"""A picture over the canvas: a widget above Krita's own, which the document does not know of.

It takes no event and no focus, is not in the layer stack, in no undo history and in no file, and
ends with its canvas, whatever becomes of Krita.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acetate_bridge.panel.preview_view import InPlaceView
from acetate_bridge.protocol.geometry import Rect
from acetate_krita.qt import Qt, QtCore, QtGui, QtWidgets
from acetate_krita.widgets.pictures import qimage_of

_CHECK = 32
_LIGHT, _DARK = "#ffffff", "#dcdcdc"
_FORMAT = QtGui.QImage.Format.Format_ARGB32_Premultiplied
_SHOWN_AGAIN_AFTER = 250
_KINDS = QtCore.QEvent.Type
_PRESSES = (_KINDS.MouseButtonPress, _KINDS.TabletPress, _KINDS.TouchBegin)
_RELEASES = (_KINDS.MouseButtonRelease, _KINDS.TabletRelease, _KINDS.TouchEnd)
_MOVES = (_KINDS.MouseMove, _KINDS.TabletMove)
_LEAST_RADIUS = 12.0
_WINDOW, _BAND = 48.0, 6.0


class CanvasOverlay(QtWidgets.QWidget):
    """Lies over one canvas; while a hand is down there it steps aside.

    It comes back when `holds` says that what it shows is not outdated by what the hand did. Where
    the pointer moves, the canvas is seen through it: Krita draws the outline of the brush there.
    """

    # Python may have let go of it before Qt does: events come until then.
    _canvas: QtWidgets.QWidget | None = None

    def __init__(self, canvas: QtWidgets.QWidget, holds: Callable[[], bool] = lambda: True) -> None:
        super().__init__(canvas)
        self.setObjectName("acetate_overlay")
        for attribute in ("WA_TransparentForMouseEvents", "WA_NoSystemBackground"):
            self.setAttribute(getattr(Qt.WidgetAttribute, attribute))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._canvas, self._holds = canvas, holds
        self._view: InPlaceView | None = None
        self._picture: QtGui.QImage | None = None
        self._transform = QtGui.QTransform()
        self._aside = False
        self._pointer: QtCore.QPointF | None = None
        self._radius = _LEAST_RADIUS
        self._back = QtCore.QTimer(self)
        self._back.setSingleShot(True)
        self._back.setInterval(_SHOWN_AGAIN_AFTER)
        self._back.timeout.connect(self._come_back)
        # Krita's own filter on the canvas lets no press through to another one there.
        QtWidgets.QApplication.instance().installEventFilter(self)
        self.setGeometry(canvas.rect())
        self.show()
        self.raise_()

    @property
    def shown(self) -> InPlaceView | None:
        """What is to be seen now."""
        return None if self._aside else self._view

    def show_view(self, view: InPlaceView, transform: QtGui.QTransform, brush: float = 0.0) -> None:
        """Show pictures where they belong, by the way that the canvas lies now.

        `brush` is how wide the brush is, in pixels of the document.
        """
        canvas = self._canvas
        if canvas is None:
            return
        if view is not self._view:
            self._view, self._picture = view, composed(view)
            self.update()
        if transform != self._transform or self.geometry() != canvas.rect():
            self._transform = transform
            self.setGeometry(canvas.rect())
            self.update()
        radius = max(_LEAST_RADIUS, brush / 2 * abs(transform.determinant()) ** 0.5)
        if radius != self._radius:
            self._radius = radius
            self.update()

    def eventFilter(self, watched: object, event: QtCore.QEvent) -> bool:  # noqa: N802 (Qt's name)
        """A stroke has to be seen that is painted below it."""
        if self._canvas is None or watched is not self._canvas:
            return False
        if event.type() in _PRESSES:
            self._aside = True
            self._back.stop()
            self.update()
        elif event.type() in _RELEASES:
            self._back.start()
        elif event.type() in _MOVES:
            self._look_through(_place_of(event))
        elif event.type() == _KINDS.Leave:
            self._look_through(None)
        return False

    def _look_through(self, pointer: QtCore.QPointF | None) -> None:
        for place in (self._pointer, pointer):
            if place is not None and self.shown is not None:
                self.update(_around(place, self._radius + _BAND).toAlignedRect())
        self._pointer = pointer

    def _seen_through(self) -> QtGui.QPainterPath:
        """All but the outline of the brush, and what is in that unless it is large."""
        path = QtGui.QPainterPath()
        path.addRect(QtCore.QRectF(self.rect()))
        if self._pointer is not None:
            path.addEllipse(_around(self._pointer, self._radius + _BAND))
            if self._radius > _WINDOW:
                path.addEllipse(_around(self._pointer, self._radius - _BAND))
        return path

    def _come_back(self) -> None:
        if not self._holds():
            self._back.start()
            return
        self._aside = False
        self.update()

    def paintEvent(self, event: object) -> None:  # noqa: N802 (Qt's name)
        """Draw it, if it is to be seen."""
        if self.shown is None or self._picture is None or self._view is None:
            return
        painter = QtGui.QPainter(self)
        painter.setClipPath(self._seen_through())
        painter.setTransform(self._transform)
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(_rectangle(self._view.region), self._picture)
        painter.end()


def composed(view: InPlaceView) -> QtGui.QImage:
    """The region of a view as one picture, its backdrop included where it has one."""
    region = view.region
    picture = QtGui.QImage(region.width, region.height, _FORMAT)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QtGui.QPainter(picture)
    painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
    painter.translate(-region.x, -region.y)
    for each in reversed(view.pictures):
        painter.drawImage(_rectangle(each.place), qimage_of(each.image))
    modes = QtGui.QPainter.CompositionMode
    mask = view.mask.mask if view.mask is not None else None
    if view.mask is not None and mask is not None:
        bounds = view.mask.bounds
        kind = QtGui.QImage.Format.Format_Alpha8
        strengths = QtGui.QImage(mask, bounds.width, bounds.height, bounds.width, kind)
        cut = QtGui.QImage(region.width, region.height, _FORMAT)
        cut.fill(Qt.GlobalColor.transparent)
        inner = QtGui.QPainter(cut)
        inner.drawImage(bounds.x - region.x, bounds.y - region.y, strengths)
        inner.end()
        painter.setCompositionMode(modes.CompositionMode_DestinationIn)
        painter.drawImage(region.x, region.y, cut)
    if view.backdrop is not None:
        painter.setCompositionMode(modes.CompositionMode_DestinationOver)
        painter.drawImage(_rectangle(view.seen), qimage_of(view.backdrop))
        if view.cover is not None:
            painter.setCompositionMode(modes.CompositionMode_SourceOver)
            painter.drawImage(_rectangle(view.seen), qimage_of(view.cover))
            painter.setCompositionMode(modes.CompositionMode_DestinationOver)
        painter.drawImage(region.x, region.y, _checks(region))
    painter.end()
    return picture


def _checks(region: Rect) -> QtGui.QImage:
    """What Krita shows where there is nothing."""
    board = QtGui.QImage(region.width, region.height, _FORMAT)
    board.fill(QtGui.QColor(_LIGHT))
    painter = QtGui.QPainter(board)
    for row in range(0, region.height, _CHECK):
        for column in range((row // _CHECK) % 2 * _CHECK, region.width, 2 * _CHECK):
            painter.fillRect(column, row, _CHECK, _CHECK, QtGui.QColor(_DARK))
    painter.end()
    return board


def _place_of(event: Any) -> QtCore.QPointF:
    """Where a mouse or a pen is, in either Qt."""
    return event.position() if hasattr(event, "position") else QtCore.QPointF(event.pos())


def _around(place: QtCore.QPointF, radius: float) -> QtCore.QRectF:
    return QtCore.QRectF(place.x() - radius, place.y() - radius, 2 * radius, 2 * radius)


def _rectangle(place: Rect) -> QtCore.QRectF:
    return QtCore.QRectF(place.x, place.y, place.width, place.height)
