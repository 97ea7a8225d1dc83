"""Straight-alpha pictures on a checkerboard, as GTK draws them."""

from __future__ import annotations

from gi.repository import GdkPixbuf, GLib, Gtk

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


def picture(image: Image, width: int, height: int) -> Gtk.Image:
    """A widget that shows a picture on the checkerboard."""
    return Gtk.Image.new_from_pixbuf(on_checkerboard(image, width, height))
