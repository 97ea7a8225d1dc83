"""GIMP's selection: what it covers, and how it becomes the mask of a layer."""

from __future__ import annotations

from gi.repository import Gegl, Gimp

from acetate_bridge.editing.editor import Selection
from acetate_bridge.protocol.geometry import Rect
from adapter.layers import bounds_of
from adapter.pixels import rectangle

# Linear: a selection holds strengths, and "Y' u8" would bend them by a gamma curve.
_STRENGTH = "Y u8"


def selection_of(image: Gimp.Image) -> Selection | None:
    """What is selected; None when nothing is."""
    _, there, left, top, right, bottom = Gimp.Selection.bounds(image)
    if not there or right <= left or bottom <= top:
        return None
    bounds = Rect(left, top, right - left, bottom - top)
    buffer = image.get_selection().get_buffer()
    data = bytes(buffer.get(rectangle(bounds), 1.0, _STRENGTH, Gegl.AbyssPolicy.NONE))
    plain = data.count(b"\xff") == len(data)
    return Selection(bounds, None if plain else data)


def add_mask(layer: Gimp.Layer, selection: Selection) -> None:
    """Clip a layer by a selection; the brush keeps painting on the layer, not on the mask."""
    mask = layer.create_mask(Gimp.AddMaskType.BLACK)
    bounds = bounds_of(layer)
    inside = bounds.common(selection.bounds)
    if inside is not None:
        buffer = mask.get_buffer()
        local = rectangle(inside.moved(-bounds.x, -bounds.y))
        buffer.set(local, _STRENGTH, _strengths(selection, inside))
        buffer.flush()
    layer.add_mask(mask)
    layer.set_edit_mask(False)


def _strengths(selection: Selection, inside: Rect) -> bytes:
    """The part of a selection that lies in a rectangle within its bounds."""
    bounds, mask = selection.bounds, selection.mask
    if mask is None:
        return b"\xff" * inside.size.pixels
    rows = range(inside.y - bounds.y, inside.bottom - bounds.y)
    start = inside.x - bounds.x
    return b"".join(
        mask[row * bounds.width + start : row * bounds.width + start + inside.width] for row in rows
    )
