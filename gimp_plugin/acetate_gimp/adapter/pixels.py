"""Pixels out of GIMP: straight-alpha sRGB, whatever the image's depth and profile."""

from __future__ import annotations

from gi.repository import Gegl, Gimp

from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import BYTES_PER_PIXEL, Image, PixelFormat
from adapter.layers import bounds_of, siblings

# Without a space in its name a babl format means sRGB; babl converts to and from the profile.
FORMATS: dict[PixelFormat, str] = {"rgba8": "R'G'B'A u8", "rgba16": "R'G'B'A u16"}


def rectangle(rect: Rect) -> Gegl.Rectangle:
    """A rectangle in GEGL's own type."""
    return Gegl.Rectangle.new(rect.x, rect.y, rect.width, rect.height)


def read_drawable(drawable: Gimp.Drawable, region: Rect, pixel_format: PixelFormat) -> Image:
    """A drawable's own pixels in a region of the document, transparent outside of it."""
    bounds = bounds_of(drawable)
    inside = bounds.common(region)
    if inside is None:
        return transparent(region, pixel_format)
    local = rectangle(inside.moved(-bounds.x, -bounds.y))
    buffer = drawable.get_buffer()
    data = buffer.get(local, 1.0, FORMATS[pixel_format], Gegl.AbyssPolicy.NONE)
    if inside == region:
        return Image(region.width, region.height, bytes(data), pixel_format)
    return _within(inside, bytes(data), region, pixel_format)


def read_visible(image: Gimp.Image, region: Rect, pixel_format: PixelFormat) -> Image:
    """What a painter sees of an image, transparent outside the canvas."""
    seen = Gimp.Layer.new_from_visible(image, image, "")
    try:
        return read_drawable(seen, region, pixel_format)
    finally:
        seen.delete()


def read_below(
    image: Gimp.Image,
    layer: Gimp.Layer,
    region: Rect,
    pixel_format: PixelFormat,
    including: bool = False,
) -> Image:
    """What a painter sees beneath a layer, from a copy: hiding layers would leave undo steps."""
    path = _path(image, layer)
    copy = image.duplicate()
    try:
        copy.undo_disable()
        parent: Gimp.Layer | None = None
        for depth, index in enumerate(path):
            level = siblings(copy, parent)
            last = depth == len(path) - 1
            for hidden in level[: index + (1 if last and not including else 0)]:
                hidden.set_visible(False)
            parent = level[index]
        return read_visible(copy, region, pixel_format)
    finally:
        copy.delete()


def transparent(region: Rect, pixel_format: PixelFormat) -> Image:
    """Nothing, in the size of a region."""
    size = region.size.pixels * BYTES_PER_PIXEL[pixel_format]
    return Image(region.width, region.height, bytes(size), pixel_format)


def _path(image: Gimp.Image, layer: Gimp.Layer) -> list[int]:
    """Positions from the topmost level down to the layer."""
    path: list[int] = []
    item: Gimp.Layer | None = layer
    while item is not None:
        path.insert(0, image.get_item_position(item))
        item = item.get_parent()
    return path


def _within(inside: Rect, data: bytes, region: Rect, pixel_format: PixelFormat) -> Image:
    """The rows of a smaller rectangle laid into a transparent region."""
    pixel = BYTES_PER_PIXEL[pixel_format]
    row = inside.width * pixel
    canvas = bytearray(region.size.pixels * pixel)
    for y in range(inside.height):
        to = ((inside.y - region.y + y) * region.width + inside.x - region.x) * pixel
        canvas[to : to + row] = data[y * row : (y + 1) * row]
    return Image(region.width, region.height, bytes(canvas), pixel_format)
