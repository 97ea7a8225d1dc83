"""The canvas of the document that the painter is in, and where its pixels lie on it."""

from __future__ import annotations

from typing import Any

from acetate_krita.adapter.strokes import CANVASES
from acetate_krita.qt import QtGui, QtWidgets


def canvas_of(application: Any, document: Any) -> tuple[QtWidgets.QWidget, Any] | None:
    """The widget on which the active view shows this document, and the view; None elsewhere."""
    window = application.activeWindow()
    view = window.activeView() if window is not None else None
    if view is None or view.document() != document:
        return None
    middle = window.qwindow().centralWidget()
    area = middle.findChild(QtWidgets.QMdiArea) if middle is not None else None
    inner = area.activeSubWindow() if area is not None else None
    widgets = inner.findChildren(QtWidgets.QWidget) if inner is not None else []
    found = [each for each in widgets if each.metaObject().className() in CANVASES]
    return (found[0], view) if found and found[0].isVisible() else None


def pixels_to_canvas(view: Any) -> QtGui.QTransform | None:
    """From pixels of the document to those of the canvas; zoomed, turned and mirrored as it is.

    None where Krita does not say, as before version 5.2.
    """
    if not hasattr(view, "flakeToCanvasTransform"):
        return None
    back, possible = view.flakeToImageTransform().inverted()
    return back * view.flakeToCanvasTransform() if possible else None


def brush_size(view: Any) -> float:
    """How wide the brush of a view is, in pixels; 0 where Krita does not say."""
    return float(view.brushSize()) if hasattr(view, "brushSize") else 0.0
