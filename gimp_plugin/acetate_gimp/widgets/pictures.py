"""Straight-alpha pictures on a checkerboard, as GTK draws them."""

from __future__ import annotations

from gi.repository import GdkPixbuf, GLib, Gtk

from acetate_bridge.editing.editor import Selection
from acetate_bridge.panel.preview_view import InPlaceView
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image

_CHECK = 8
_LIGHT, _DARK = 0x999999, 0x666666


def pixbuf_of(image: Image) -> GdkPixbuf.Pixbuf:
    """The picture itself, eight bits a channel."""
    data = image.data if image.format == "rgba8" else image.data[1::2]
    return GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(data),
        GdkPixbuf.Colorspace.RGB,
        True,
        8,
        image.width,
        image.height,
        image.width * 4,
    )


def on_checkerboard(image: Image, width: int, height: int) -> GdkPixbuf.Pixbuf:
    """The picture, fitted into a size, over the checkerboard that means transparency."""
    scale = min(width / image.width, height / image.height)
    return pixbuf_of(image).composite_color_simple(
        max(1, round(image.width * scale)),
        max(1, round(image.height * scale)),
        GdkPixbuf.InterpType.BILINEAR,
        255,
        _CHECK,
        _LIGHT,
        _DARK,
    )


def in_place(view: InPlaceView, width: int, height: int) -> GdkPixbuf.Pixbuf:
    """What is seen of a document with the pictures in their place, fitted into a size."""
    seen, region = view.seen, view.region
    scale = min(width / seen.width, height / seen.height, 2.0)
    wide, high = max(1, round(seen.width * scale)), max(1, round(seen.height * scale))
    shown = GdkPixbuf.Pixbuf.new(GdkPixbuf.Colorspace.RGB, True, 8, wide, high)
    shown.fill(0)
    pictures = shown.copy()
    for each in reversed(view.pictures):
        place = each.place.moved(-seen.x, -seen.y)
        _lay(pixbuf_of(each.image), place, region.moved(-seen.x, -seen.y), pictures, scale)
    if view.mask is not None and view.mask.mask is not None:
        pictures = _through(pictures, view.mask, seen, scale)
    whole = Rect(0, 0, seen.width, seen.height)
    if view.backdrop is not None:
        _lay(pixbuf_of(view.backdrop), whole, None, shown, scale)
    pictures.composite(shown, 0, 0, wide, high, 0, 0, 1, 1, GdkPixbuf.InterpType.NEAREST, 255)
    if view.cover is not None:
        _lay(pixbuf_of(view.cover), whole, None, shown, scale)
    kind = GdkPixbuf.InterpType.NEAREST
    return shown.composite_color_simple(wide, high, kind, 255, _CHECK, _LIGHT, _DARK)


def _lay(
    picture: GdkPixbuf.Pixbuf,
    place: Rect,
    within: Rect | None,
    onto: GdkPixbuf.Pixbuf,
    scale: float,
) -> None:
    """Stretch a picture over a place, as far as it lies within another one."""
    there = place.common(within) if within is not None else place
    if there is None:
        return
    left, top = round(there.x * scale), round(there.y * scale)
    right = min(onto.get_width(), round(there.right * scale))
    bottom = min(onto.get_height(), round(there.bottom * scale))
    if left < 0 or top < 0 or right <= left or bottom <= top:
        return
    across = place.width * scale / picture.get_width()
    down = place.height * scale / picture.get_height()
    spot = (left, top, right - left, bottom - top, place.x * scale, place.y * scale)
    picture.composite(onto, *spot, across, down, GdkPixbuf.InterpType.BILINEAR, 255)


def _through(
    pictures: GdkPixbuf.Pixbuf, mask: Selection, seen: Rect, scale: float
) -> GdkPixbuf.Pixbuf:
    """The pictures as strongly as each pixel is selected."""
    wide, high, bounds = pictures.get_width(), pictures.get_height(), mask.bounds
    strengths = mask.mask or b""
    stride, data = pictures.get_rowstride(), bytearray(pictures.get_pixels())
    columns = [min(seen.width - 1, int((x + 0.5) / scale)) + seen.x - bounds.x for x in range(wide)]
    for y in range(high):
        row = min(seen.height - 1, int((y + 0.5) / scale)) + seen.y - bounds.y
        line = strengths[row * bounds.width : (row + 1) * bounds.width] if row >= 0 else b""
        alpha = slice(y * stride + 3, y * stride + 4 * wide, 4)
        data[alpha] = bytes(
            own * (line[x] if 0 <= x < len(line) else 0) // 255
            for own, x in zip(data[alpha], columns)  # noqa: B905 (as many)
        )
    return GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(bytes(data)), GdkPixbuf.Colorspace.RGB, True, 8, wide, high, stride
    )


def picture(image: Image, width: int, height: int) -> Gtk.Image:
    """A widget that shows a picture on the checkerboard."""
    return Gtk.Image.new_from_pixbuf(on_checkerboard(image, width, height))
