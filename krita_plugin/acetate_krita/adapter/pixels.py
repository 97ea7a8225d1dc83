"""Pixels out of a document: a layer's own, or what a painter sees beneath it."""

from __future__ import annotations

from typing import Any

from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import BYTES_PER_PIXEL, Image, PixelFormat
from acetate_krita.adapter import layers as stack
from acetate_krita.adapter.colour import to_image, workbench
from acetate_krita.adapter.documents import canvas_of
from acetate_krita.qt import QtGui


def read_own(document: Any, node: Any, region: Rect, pixel_format: PixelFormat) -> Image:
    """A layer's own pixels; what a group, a vector or a fill layer shows of itself."""
    box = (region.x, region.y, region.width, region.height)
    data = bytes(node.pixelData(*box)) if node.type() == "paintlayer" else b""
    if not data:
        document.waitForDone()
        data = bytes(node.projectionPixelData(*box))
    return to_image(document, data, region.width, region.height, pixel_format, node)


def read_layer(document: Any, node: Any, region: Rect, pixel_format: PixelFormat) -> Image:
    """A layer as it is shown: with masks, filters and styles, and the masks of its groups.

    Asked of a copy in which nothing but this layer is seen, where it differs from its own pixels.
    """
    passes = getattr(node, "passThroughMode", None)
    dressed = any(stack.is_dressed(each) for each in (node, *stack.around(node)))
    if not dressed and not (passes is not None and passes()):
        return read_own(document, node, region, pixel_format)
    with workbench(document) as copy:
        current = copy.nodeByUniqueID(node.uniqueId())
        while (parent := current.parentNode()) is not None:
            _plain(current)
            for sibling in stack.children(parent):
                if stack.key_of(sibling) != stack.key_of(current):
                    sibling.setVisible(False)
            current = parent
        copy.refreshProjection()
        return read_visible(copy, region, pixel_format)


def _plain(node: Any) -> None:
    """Show a node as it is by itself: opacity, blending and clipping are not its own look."""
    node.setVisible(True)
    node.setOpacity(255)
    if node.blendingMode() != "normal":
        node.setBlendingMode("normal")
    if node.inheritAlpha():
        node.setInheritAlpha(False)
    if stack.is_group(node) and node.passThroughMode():
        node.setPassThroughMode(False)


def glance(document: Any, node: Any | None, side: int) -> Image:
    """A small picture of the canvas, or of the painted part of a layer."""
    picture = (document if node is None else node).thumbnail(side, side)
    if picture.isNull() or (picture.width(), picture.height()) != (side, side):
        return Image(side, side, bytes(4 * side * side))
    picture = picture.convertToFormat(QtGui.QImage.Format.Format_RGBA8888)
    memory = picture.constBits()
    memory.setsize(4 * side * side)
    return Image(side, side, memory.asstring())


def read_visible(document: Any, region: Rect, pixel_format: PixelFormat) -> Image:
    """What a painter sees, transparent outside the canvas."""
    document.waitForDone()
    seen = region.common(canvas_of(document))
    if seen is None:
        return Image(
            region.width,
            region.height,
            bytes(region.size.pixels * BYTES_PER_PIXEL[pixel_format]),
            pixel_format,
        )
    data = bytes(document.pixelData(seen.x, seen.y, seen.width, seen.height))
    image = to_image(document, data, seen.width, seen.height, pixel_format, document)
    return image if seen == region else _framed(image, seen, region)


def read_below(
    document: Any,
    node: Any | None,
    region: Rect,
    pixel_format: PixelFormat,
    including: bool,
    without: tuple[str, ...] = (),
) -> Image:
    """What a painter sees of everything beneath a layer, or of the whole stack, without some.

    Asked of a copy, which shares its pixels with the document: hiding layers in the document
    itself would flicker and leave traces.
    """
    with workbench(document) as copy:
        current = copy.nodeByUniqueID(node.uniqueId()) if node is not None else copy.rootNode()
        if node is not None and not including:
            current.setVisible(False)
        for key in without:
            left_out = stack.find(copy, key)
            if left_out is not None:
                left_out.setVisible(False)
        while (parent := current.parentNode()) is not None:
            for sibling in stack.children(parent):
                if stack.key_of(sibling) == stack.key_of(current):
                    break
                sibling.setVisible(False)
            current = parent
        copy.refreshProjection()
        return read_visible(copy, region, pixel_format)


def _framed(image: Image, inner: Rect, outer: Rect) -> Image:
    """The image of a smaller rectangle as the image of a larger one, transparent around it."""
    pixel = BYTES_PER_PIXEL[image.format]
    data = bytearray(outer.size.pixels * pixel)
    length = inner.width * pixel
    for row in range(inner.height):
        start = ((inner.y - outer.y + row) * outer.width + inner.x - outer.x) * pixel
        data[start : start + length] = image.data[row * length : (row + 1) * length]
    return Image(outer.width, outer.height, bytes(data), image.format)
