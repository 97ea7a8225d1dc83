"""What was repainted of a part of a layer, together with the rest of that layer as it is now."""

from __future__ import annotations

from dataclasses import replace

from acetate_bridge.editing.anchor import shift_since
from acetate_bridge.editing.editor import Document, Editor, LayerGone, Selection
from acetate_bridge.editing.job import Record, Result
from acetate_bridge.editing.patching import patched
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image, PixelFormat


def complete(
    editor: Editor, document: Document, record: Record, result: Result, before: Result | None
) -> None:
    """Let a result hold all of its source, so that this can give way to it.

    `before` is what the source was, once another result has replaced it. Where nobody knows it any
    more the result stays a part, and its source in sight. Raises DocumentClosed.
    """
    if not record.patches or result.whole or len(result.layers) != 1:
        return
    (layer,) = result.layers
    rest = _rest(editor, document, record, layer.image.format, before)
    if rest is None or rest[0].format != layer.image.format:
        return
    at = Rect(layer.x, layer.y, layer.image.width, layer.image.height)
    part = record.selection or Selection(record.region)
    image, place = patched(*rest, layer.image, at, part)
    result.layers = (replace(layer, image=image, x=place.x, y=place.y),)
    result.whole = True


def _rest(
    editor: Editor,
    document: Document,
    record: Record,
    pixel_format: PixelFormat,
    before: Result | None,
) -> tuple[Image, Rect] | None:
    """The source's own pixels, and where they lay when the job was asked for."""
    source = next((x for x in editor.layers(document.key) if x.key == record.patches), None)
    if source is None:
        old = before.layers[0] if before is not None else None
        if old is None:
            return None
        return old.image, Rect(old.x, old.y, old.image.width, old.image.height)
    shift = shift_since(editor, document, record.anchor)
    if shift is None or source.bounds is None:
        return None
    try:
        own = editor.read_own(document.key, source.key, source.bounds, pixel_format)
    except LayerGone:
        return None
    return own, source.bounds.moved(-shift[0], -shift[1])
