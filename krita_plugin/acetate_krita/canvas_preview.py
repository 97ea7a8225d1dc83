"""Keeps what is to be seen in place over the right canvas, wherever that is moved and turned."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from acetate_bridge.editing.editor import DocumentClosed
from acetate_bridge.panel.preview_view import InPlaceView
from acetate_krita.adapter.canvas import brush_size, canvas_of, pixels_to_canvas
from acetate_krita.adapter.documents import Documents
from acetate_krita.qt import QtCore, QtWidgets
from acetate_krita.widgets.overlay import CanvasOverlay

log = logging.getLogger("acetate.krita")

_FOLLOW_EVERY = 40


class CanvasPreview(QtCore.QObject):
    """At most one overlay; none where Krita does not say how the canvas lies.

    `holds` says whether the hand has done nothing that what is shown does not know of yet.
    """

    def __init__(self, application: Any, documents: Documents, holds: Callable[[], bool]) -> None:
        super().__init__()
        self._holds = holds
        self._application, self._documents = application, documents
        self._view: InPlaceView | None = None
        self._canvas: QtWidgets.QWidget | None = None
        self.overlay: CanvasOverlay | None = None
        self._clock = QtCore.QTimer(self)
        self._clock.setInterval(_FOLLOW_EVERY)
        self._clock.timeout.connect(self._follow)

    def show_view(self, view: InPlaceView | None) -> None:
        """Show this, or nothing more."""
        if view is self._view:
            return
        self._view = view
        if view is None:
            self.close()
            return
        self._clock.start()
        self._follow()

    def close(self) -> None:
        """Take the overlay away."""
        self._view = None
        self._clock.stop()
        self._take_away()

    def _follow(self) -> None:
        try:
            self._lay()
        except Exception:
            log.exception("a preview could not be laid over the canvas")
            self._take_away()

    def _lay(self) -> None:
        view = self._view
        if view is None:
            return
        try:
            found = canvas_of(self._application, self._documents.find(view.document))
        except DocumentClosed:
            found = None
        transform = pixels_to_canvas(found[1]) if found is not None else None
        if found is None or transform is None:
            self._take_away()
            return
        canvas = found[0]
        if self.overlay is None or canvas is not self._canvas:
            self._take_away()
            self.overlay, self._canvas = CanvasOverlay(canvas, self._still_holds), canvas
            self.overlay.destroyed.connect(self._forget)
        self.overlay.show_view(view, transform, brush_size(found[1]))

    def _still_holds(self) -> bool:
        try:
            return self._holds()
        except Exception:
            log.exception("what the hand did could not be told")
            return False

    def _take_away(self) -> None:
        overlay = self.overlay
        self._forget()
        if overlay is not None:
            overlay.hide()
            overlay.deleteLater()

    def _forget(self, *_: object) -> None:
        """Its canvas has gone, and it with that."""
        self.overlay = self._canvas = None
