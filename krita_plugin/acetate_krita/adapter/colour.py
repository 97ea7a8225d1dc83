"""Between the bridge's straight-alpha sRGB pixels and whatever a layer of Krita is made of.

Krita converts; only the order of the channels is changed here. Its 8 and 16 bit RGBA samples lie
in memory as BGRA.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from acetate_bridge.protocol.types import BYTES_PER_PIXEL, Image, PixelFormat
from acetate_krita.qt import QtCore, QtGui

SRGB = "sRGB-elle-V2-srgbtrc.icc"
_SAME_PRIMARIES = "sRGB-elle-"
DEPTHS: dict[PixelFormat, str] = {"rgba8": "U8", "rgba16": "U16"}
_LAYOUTS: dict[PixelFormat, Any] = {
    "rgba8": QtGui.QImage.Format.Format_RGBA8888,
    "rgba16": QtGui.QImage.Format.Format_RGBA64,
}


def swapped(data: bytes, width: int, height: int, pixel_format: PixelFormat) -> bytes:
    """The same pixels with red and blue exchanged, which is its own inverse."""
    stride = width * BYTES_PER_PIXEL[pixel_format]
    turned = QtGui.QImage(data, width, height, stride, _LAYOUTS[pixel_format]).rgbSwapped()
    memory = turned.constBits()
    memory.setsize(stride * height)
    return memory.asstring()


def paint(document: Any, name: str, image: Image, x: int, y: int) -> Any:
    """A new paint layer with these pixels there, not in the stack yet.

    In an RGB document it takes the document's depth and profile. Any other colour model could not
    keep its colours, and Krita stacks layers of different models: there it stays sRGB, as deep as
    the document is.
    """
    data = swapped(image.data, image.width, image.height, image.format)
    box = (x, y, image.width, image.height)
    given = ("RGBA", DEPTHS[image.format], SRGB)
    if given == space_of(document):
        node = document.createNode(name, "paintlayer")
        node.setPixelData(QtCore.QByteArray(data), *box)
        return node
    with workbench(document) as bench:
        node = bench.createNode(name, "paintlayer")
        node.setColorSpace(*given)
        node.setPixelData(QtCore.QByteArray(data), *box)
        if document.colorModel() == "RGBA":
            _convert(node, document.colorDepth(), document.colorProfile())
        elif document.colorDepth() != "U8":
            _convert(node, "U16", SRGB)
        bench.waitForDone()
    return node


def repaint(document: Any, node: Any, image: Image, x: int, y: int) -> None:
    """Give a paint layer that is not in the stack these pixels there, and no others."""
    space, old = space_of(node), node.bounds()
    if not old.isEmpty():
        size = len(bytes(node.pixelData(old.x(), old.y(), 1, 1)))
        clear = QtCore.QByteArray(bytes(old.width() * old.height() * size))
        node.setPixelData(clear, old.x(), old.y(), old.width(), old.height())
    box = (x, y, image.width, image.height)
    data = swapped(image.data, image.width, image.height, image.format)
    given = ("RGBA", DEPTHS[image.format], SRGB)
    if given != space:
        with workbench(document) as bench:
            scratch = bench.createNode("", "paintlayer")
            scratch.setColorSpace(*given)
            scratch.setPixelData(QtCore.QByteArray(data), *box)
            if space[0] == "RGBA":
                _convert(scratch, *space[1:])
            else:
                scratch.setColorSpace(*space)
            data = bytes(scratch.pixelData(*box))
    node.setPixelData(QtCore.QByteArray(data), *box)


def to_image(
    document: Any, data: bytes, width: int, height: int, pixel_format: PixelFormat, source: Any
) -> Image:
    """Raw pixels of a node or a document (`source`, which names their colour space) as sRGB."""
    if space_of(source) != ("RGBA", DEPTHS[pixel_format], SRGB):
        with workbench(document) as bench:
            scratch = bench.createNode("", "paintlayer")
            scratch.setColorSpace(*space_of(source))
            scratch.setPixelData(QtCore.QByteArray(data), 0, 0, width, height)
            _convert(scratch, DEPTHS[pixel_format], SRGB)
            data = bytes(scratch.pixelData(0, 0, width, height))
    return Image(width, height, swapped(data, width, height, pixel_format), pixel_format)


def space_of(source: Any) -> tuple[str, str, str]:
    """Colour model, depth and profile of a node or a document."""
    return source.colorModel(), source.colorDepth(), source.colorProfile()


@contextmanager
def workbench(document: Any) -> Iterator[Any]:
    """A copy of a document, sharing its pixels, for what must leave no trace in its undo history.

    Krita notes a step even when a layer is converted that is not in the stack.
    """
    copy = document.clone()
    try:
        yield copy
    finally:
        copy.setModified(False)
        copy.close()


def _convert(node: Any, depth: str, profile: str) -> None:
    """To another depth and profile of RGB."""
    alike = all(each.startswith(_SAME_PRIMARIES) for each in (node.colorProfile(), profile))
    if node.colorModel() == "RGBA" and not alike:
        # Between gamuts Krita's tables for integers are coarse: 12 levels of 255 off, in the dark.
        node.setColorSpace("RGBA", "F32", node.colorProfile())
        node.setColorSpace("RGBA", "F32", profile)
    node.setColorSpace("RGBA", depth, profile)
