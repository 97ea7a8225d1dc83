"""Layers as one file that other painting programs open: OpenRaster and Photoshop's PSD."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Any, cast
from xml.etree import ElementTree

import numpy as np
from PIL import Image as Pillow

from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image, Layer, Role

_THUMBNAIL = 256
_LONGEST_NAME = 255
_STACKING = {Role.BACKGROUND: 0, Role.FOREGROUND: 1, Role.BLENDED: 2}


def write_openraster(layers: Sequence[Layer]) -> bytes:
    """The layers as OpenRaster (openraster.org, 0.0.6), 8 bits a channel, bottom layer first.

    The canvas is what the layers cover together; a layer that shows all of them at once
    (`Role.BLENDED`) is there, but hidden. Raises ValueError without a layer.
    """
    ordered, canvas = _arranged(layers)
    merged = _merged(ordered, canvas)
    size = {"w": str(canvas.width), "h": str(canvas.height)}
    root = ElementTree.Element("image", {"version": "0.0.6", **size})
    stack = ElementTree.SubElement(root, "stack")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        # The format wants its name first, and not packed.
        archive.writestr(zipfile.ZipInfo("mimetype"), "image/openraster", zipfile.ZIP_STORED)
        for number, layer in enumerate(ordered):
            source = f"data/layer{number}.png"
            archive.writestr(source, _png(_picture(layer.image)))
            entry = {
                "src": source,
                "name": layer.name or layer.role.value,
                "x": str(layer.x - canvas.x),
                "y": str(layer.y - canvas.y),
                "visibility": "visible" if _is_shown(layer) else "hidden",
            }
            # The first of a stack is its top.
            stack.insert(0, ElementTree.Element("layer", entry))
        thumbnail = merged.copy()
        thumbnail.thumbnail((_THUMBNAIL, _THUMBNAIL))
        archive.writestr("mergedimage.png", _png(merged))
        archive.writestr("Thumbnails/thumbnail.png", _png(thumbnail))
        archive.writestr("stack.xml", ElementTree.tostring(root, "utf-8", xml_declaration=True))
    return buffer.getvalue()


def write_psd(layers: Sequence[Layer]) -> bytes:
    """The layers as a Photoshop document of 8 bits a channel; see `write_openraster`."""
    from psd_tools import PSDImage
    from psd_tools.constants import Compression

    ordered, canvas = _arranged(layers)
    document = PSDImage.frompil(_merged(ordered, canvas), compression=Compression.RLE)
    for layer in ordered:
        pixels = document.create_pixel_layer(
            _picture(layer.image),
            top=layer.y - canvas.y,
            left=layer.x - canvas.x,
            compression=Compression.RLE,
        )
        # Given when it is made, a name could hold Mac Roman only.
        pixels.name = (layer.name or layer.role.value)[:_LONGEST_NAME]
        pixels.visible = _is_shown(layer)
    buffer = io.BytesIO()
    cast("Any", document).save(buffer)  # It leaves open what a path is.
    return buffer.getvalue()


def _arranged(layers: Sequence[Layer]) -> tuple[list[Layer], Rect]:
    """The layers from the bottom up, and the rectangle that they cover together."""
    if not layers:
        raise ValueError("there is no layer to write")
    ordered = sorted(layers, key=lambda layer: _STACKING[layer.role])
    left, top = (min(place) for place in zip(*((each.x, each.y) for each in layers), strict=True))
    right = max(each.x + each.image.width for each in layers)
    bottom = max(each.y + each.image.height for each in layers)
    return ordered, Rect(left, top, right - left, bottom - top)


def _is_shown(layer: Layer) -> bool:
    return layer.role is not Role.BLENDED


def _merged(ordered: Sequence[Layer], canvas: Rect) -> Pillow.Image:
    """The shown layers over each other, or the only one there is."""
    merged = Pillow.new("RGBA", (canvas.width, canvas.height))
    shown = [layer for layer in ordered if _is_shown(layer)] or ordered[-1:]
    for layer in shown:
        merged.alpha_composite(_picture(layer.image), (layer.x - canvas.x, layer.y - canvas.y))
    return merged


def _picture(image: Image) -> Pillow.Image:
    if image.format == "rgba8":
        samples = np.frombuffer(image.data, np.uint8)
    else:
        wide = np.frombuffer(image.data, "<u2").astype(np.uint32)
        samples = ((wide * 255 + 32767) // 65535).astype(np.uint8)
    return Pillow.fromarray(samples.reshape(image.height, image.width, 4))


def _png(picture: Pillow.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
