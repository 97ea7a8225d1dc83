"""Straight-alpha pictures on a checkerboard, as Qt draws them."""

from __future__ import annotations

from acetate_bridge.protocol.types import Image
from acetate_krita.qt import Qt, QtCore, QtGui

_CHECK = 6
_LIGHT, _DARK = "#999999", "#666666"


def qimage_of(image: Image) -> QtGui.QImage:
    """The picture itself, eight bits a channel, with pixels of its own."""
    data = image.data if image.format == "rgba8" else image.data[1::2]
    kind = QtGui.QImage.Format.Format_RGBA8888
    return QtGui.QImage(data, image.width, image.height, image.width * 4, kind).copy()


def on_checkerboard(image: Image, width: int, height: int, ratio: float = 1.0) -> QtGui.QPixmap:
    """The picture, fitted into a size, over the checkerboard that means transparency.

    `ratio` is the screen's: real pixels to each pixel of the layout.
    """
    scale = min(width / image.width, height / image.height) * ratio
    wide, high = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    pixmap = QtGui.QPixmap(wide, high)
    painter = QtGui.QPainter(pixmap)
    painter.fillRect(0, 0, wide, high, QtGui.QColor(_LIGHT))
    side = max(2, round(_CHECK * ratio))
    for row in range(0, high, side):
        for column in range((row // side) % 2 * side, wide, 2 * side):
            painter.fillRect(column, row, side, side, QtGui.QColor(_DARK))
    # Qt premultiplies to scale; colour under alpha 0 does not leak into the edge.
    smooth = qimage_of(image).scaled(
        QtCore.QSize(wide, high),
        Qt.AspectRatioMode.IgnoreAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
    painter.drawImage(0, 0, smooth)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
