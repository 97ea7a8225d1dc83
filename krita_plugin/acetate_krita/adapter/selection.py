"""Selections and masks: how strongly each pixel counts, one byte for each."""

from __future__ import annotations

from typing import Any

from acetate_bridge.editing.editor import Selection
from acetate_bridge.protocol.geometry import Rect
from acetate_krita.adapter.documents import canvas_of
from acetate_krita.qt import QtCore


def bounds_of(document: Any) -> Rect | None:
    """Where something is selected on the canvas."""
    found = document.selection()
    if found is None or found.width() < 1 or found.height() < 1:
        return None
    return Rect(found.x(), found.y(), found.width(), found.height()).common(canvas_of(document))


def selection_of(document: Any) -> Selection | None:
    """What is selected on the canvas; None when nothing is."""
    bounds = bounds_of(document)
    if bounds is None:
        return None
    strengths = document.selection()
    mask = bytes(strengths.pixelData(bounds.x, bounds.y, bounds.width, bounds.height))
    return Selection(bounds, None if mask.count(255) == len(mask) else mask)


def mask_of(krita: Any, document: Any, selection: Selection) -> Any:
    """A transparency mask that lets through what is selected, not in the stack yet."""
    bounds = selection.bounds
    strengths = krita.Selection()
    if selection.mask is None:
        strengths.select(bounds.x, bounds.y, bounds.width, bounds.height, 255)
    else:
        data = QtCore.QByteArray(selection.mask)
        strengths.setPixelData(data, bounds.x, bounds.y, bounds.width, bounds.height)
    mask = document.createTransparencyMask("Selection")
    mask.setSelection(strengths)
    return mask
