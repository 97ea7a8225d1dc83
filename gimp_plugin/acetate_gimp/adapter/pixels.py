"""Pixels out of GIMP: straight-alpha sRGB, whatever the image's depth and profile."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator, Sequence

from gi.repository import Gegl, Gimp

from acetate_bridge.editing.thumbnails import stretched
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import BYTES_PER_PIXEL, Image, PixelFormat
from adapter.layers import around, bounds_of, dressed, path_of, siblings

# Without a space in its name a babl format means sRGB; babl converts to and from the profile.
FORMATS: dict[PixelFormat, str] = {"rgba8": "R'G'B'A u8", "rgba16": "R'G'B'A u16"}


_GLANCE = 96
_SUMMED = 1024


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


def write_pixels(layer: Gimp.Layer, pixels: Image) -> None:
    """Fill a layer of the same size: outside the undo history, so only a new one."""
    buffer = layer.get_buffer()
    whole = rectangle(Rect(0, 0, pixels.width, pixels.height))
    buffer.set(whole, FORMATS[pixels.format], pixels.data)
    buffer.flush()


def read_shown(
    image: Gimp.Image, layer: Gimp.Layer, region: Rect, pixel_format: PixelFormat
) -> Image:
    """A layer as it is shown: its masks and filters, and the masks of the groups around it."""
    if not dressed(layer) and all(group.get_mask() is None for group in around(layer)):
        return read_drawable(layer, region, pixel_format)
    with _copy(image) as copy:
        alone = _isolated(copy, path_of(image, layer))
        for group in around(alone):
            for effect in group.get_filters():
                effect.set_visible(False)
        # What is seen ends at the canvas, which has to reach as far as the layer does.
        copy.resize(region.width, region.height, -region.x, -region.y)
        return read_visible(copy, Rect(0, 0, region.width, region.height), pixel_format)


def read_visible(image: Gimp.Image, region: Rect, pixel_format: PixelFormat) -> Image:
    """What a painter sees of an image, transparent outside the canvas."""
    seen = Gimp.Layer.new_from_visible(image, image, "")
    try:
        return read_drawable(seen, region, pixel_format)
    finally:
        seen.delete()


def read_below(
    image: Gimp.Image,
    layer: Gimp.Layer | None,
    region: Rect,
    pixel_format: PixelFormat,
    including: bool = False,
    without: Sequence[Gimp.Layer] = (),
) -> Image:
    """What a painter sees beneath a layer, or of the whole stack, without some.

    From a copy: hiding layers would leave undo steps.
    """
    path = path_of(image, layer) if layer is not None else []
    left_out = [path_of(image, each) for each in without]
    with _copy(image) as copy:
        for each in [_at(copy, spot) for spot in left_out]:
            _show(each, False)
        parent: Gimp.Layer | None = None
        for depth, index in enumerate(path):
            level = siblings(copy, parent)
            last = depth == len(path) - 1
            for hidden in level[: index + (1 if last and not including else 0)]:
                _show(hidden, False)
            parent = level[index]
        return read_visible(copy, region, pixel_format)


def _at(copy: Gimp.Image, path: list[int]) -> Gimp.Layer:
    """The layer at the end of a path."""
    found = siblings(copy, None)[path[0]]
    for index in path[1:]:
        found = siblings(copy, found)[index]
    return found


def look_at(image: Gimp.Image, layer: Gimp.Layer | None, side: int) -> Image:
    """The canvas as it is seen, or a layer's own pixels, stretched to a small square."""
    seen = None if layer is not None else Gimp.Layer.new_from_visible(image, image, "")
    shown = layer or seen
    assert shown is not None
    try:
        data, width, height = _reduced(shown)
    finally:
        if seen is not None:
            seen.delete()
    return stretched(Image(width, height, data), side)


def transparent(region: Rect, pixel_format: PixelFormat) -> Image:
    """Nothing, in the size of a region."""
    size = region.size.pixels * BYTES_PER_PIXEL[pixel_format]
    return Image(region.width, region.height, bytes(size), pixel_format)


def check_sum(drawable: Gimp.Drawable) -> int:
    """Tells a drawable's pixels from what they were; of a large one after it was made smaller."""
    return zlib.crc32(_reduced(drawable, _SUMMED)[0])


def _reduced(drawable: Gimp.Drawable, side: int = _GLANCE) -> tuple[bytes, int, int]:
    """A drawable's pixels, made small by GEGL; their width and height."""
    scale = min(1.0, side / max(drawable.get_width(), drawable.get_height()))
    width, height = (
        max(1, int(length * scale)) for length in (drawable.get_width(), drawable.get_height())
    )
    small = rectangle(Rect(0, 0, width, height))
    buffer = drawable.get_buffer()
    return bytes(buffer.get(small, scale, FORMATS["rgba8"], Gegl.AbyssPolicy.NONE)), width, height


@contextlib.contextmanager
def _copy(image: Gimp.Image) -> Iterator[Gimp.Image]:
    """A copy of an image to look at, gone afterwards."""
    copy = image.duplicate()
    try:
        copy.undo_disable()
        yield copy
    finally:
        copy.delete()


def _isolated(copy: Gimp.Image, path: list[int]) -> Gimp.Layer:
    """The layer at the end of a path, seen by itself: in full strength and in its own colours."""
    level = siblings(copy, None)
    for depth, index in enumerate(path):
        layer = level[index]
        for other in level:
            _show(other, other is layer)
        layer.set_opacity(100.0)
        layer.set_mode(Gimp.LayerMode.NORMAL)
        layer.set_composite_mode(Gimp.LayerCompositeMode.AUTO)
        if layer.get_mask() is not None:
            layer.set_show_mask(False)
        if depth < len(path) - 1:
            level = siblings(copy, layer)
    return level[path[-1]]


def _show(layer: Gimp.Layer, visible: bool) -> None:
    layer.set_lock_visibility(False)
    layer.set_visible(visible)


def _within(inside: Rect, data: bytes, region: Rect, pixel_format: PixelFormat) -> Image:
    """The rows of a smaller rectangle laid into a transparent region."""
    pixel = BYTES_PER_PIXEL[pixel_format]
    row = inside.width * pixel
    canvas = bytearray(region.size.pixels * pixel)
    for y in range(inside.height):
        to = ((inside.y - region.y + y) * region.width + inside.x - region.x) * pixel
        canvas[to : to + row] = data[y * row : (y + 1) * row]
    return Image(region.width, region.height, bytes(canvas), pixel_format)
