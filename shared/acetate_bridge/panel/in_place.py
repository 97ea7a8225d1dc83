"""Pictures where they would lie in the document, before they are in it."""

from __future__ import annotations

from collections.abc import Sequence

from acetate_bridge.editing.anchor import shift_since
from acetate_bridge.editing.editor import Document, Editor, LayerGone, Place, Selection
from acetate_bridge.editing.job import Record, Result, Task
from acetate_bridge.editing.stack_order import beneath, covering
from acetate_bridge.panel.preview_view import InPlaceView, Placed
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image, Layer

_MOST_PIXELS = 2048 * 2048
"""Of a larger canvas nothing is read for a preview: that would be felt in the hand."""


def result_in_place(
    editor: Editor,
    record: Record,
    result: Result,
    place: Place,
    without: Sequence[str],
    around: float,
) -> InPlaceView | None:
    """A result over the picture without some layers, as it would be shown; None without a place.

    `place` is its place in the stack: what lies above covers it. `around` is how much of the
    picture is shown beside it, as a share of its longer side. Raises DocumentClosed.
    """
    document = _document(editor, record)
    shift = shift_since(editor, document, record.anchor) if document is not None else None
    if document is None or shift is None:
        return None
    soft = record.selection if not result.whole else None
    mask = Selection(soft.bounds.moved(*shift), soft.mask) if soft is not None else None
    pictures = tuple(Placed(layer.image, _place_of(layer).moved(*shift)) for layer in result.layers)
    region = _hull([each.place for each in pictures])
    return _view(editor, document, record, region, pictures, mask, place, without, around)


def preview_in_place(editor: Editor, task: Task, place: Place, around: float) -> InPlaceView | None:
    """The rough picture of a job that is on its way; None without one."""
    document = _document(editor, task.record)
    if document is None or task.preview is None or task.frame is None:
        return None
    shift = shift_since(editor, document, task.record.anchor)
    if shift is None:
        return None
    pictures = (Placed(task.preview, task.frame.canvas.moved(*shift)),)
    region = task.frame.region.moved(*shift)
    return _view(editor, document, task.record, region, pictures, None, place, (), around)


def _view(
    editor: Editor,
    document: Document,
    record: Record,
    region: Rect,
    pictures: tuple[Placed, ...],
    mask: Selection | None,
    place: Place,
    without: Sequence[str],
    around: float,
) -> InPlaceView:
    grown = region.grown(round(around * max(region.width, region.height)))
    canvas = Rect(0, 0, document.size.width, document.size.height)
    seen = _hull([region, grown.common(canvas) or region])
    backdrop = cover = None
    if (without or around) and document.size.pixels <= _MOST_PIXELS:
        backdrop = _seen_of(editor, document, seen, without)
        layers = editor.layers(document.key)
        if covering(place, layers, region, without):
            cover = _seen_of(editor, document, seen, [*without, *beneath(place, layers)])
    return InPlaceView(document.key, record.job, region, pictures, mask, seen, backdrop, cover)


def _seen_of(
    editor: Editor, document: Document, region: Rect, without: Sequence[str]
) -> Image | None:
    try:
        return editor.read_below(document.key, None, region, "rgba8", without=tuple(without))
    except LayerGone:
        return None


def _document(editor: Editor, record: Record) -> Document | None:
    return next((each for each in editor.documents() if each.key == record.document), None)


def _place_of(layer: Layer) -> Rect:
    return Rect(layer.x, layer.y, layer.image.width, layer.image.height)


def _hull(places: Sequence[Rect]) -> Rect:
    left, top = min(each.x for each in places), min(each.y for each in places)
    right, bottom = max(each.right for each in places), max(each.bottom for each in places)
    return Rect(left, top, right - left, bottom - top)
