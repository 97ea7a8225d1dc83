"""Straight-alpha compositing and depth conversion in plain Python, for small test pictures."""

from __future__ import annotations

import struct

from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image, PixelFormat


def converted(image: Image, pixel_format: PixelFormat) -> Image:
    """The same picture in the other format: 255 becomes 65535 and back, exactly."""
    if image.format == pixel_format:
        return image
    if pixel_format == "rgba16":
        data = struct.pack(f"<{len(image.data)}H", *(sample * 257 for sample in image.data))
    else:
        samples = struct.unpack(f"<{len(image.data) // 2}H", image.data)
        data = bytes((sample + 128) // 257 for sample in samples)
    return Image(image.width, image.height, data, pixel_format)


def cut(image: Image, bounds: Rect, region: Rect) -> Image:
    """The part of an image lying at `bounds` that a region shows, clear outside of it."""
    size = 4 if image.format == "rgba8" else 8
    data = bytearray(region.width * region.height * size)
    common = bounds.common(region)
    if common is not None:
        for y in range(common.y, common.bottom):
            source = ((y - bounds.y) * bounds.width + common.x - bounds.x) * size
            target = ((y - region.y) * region.width + common.x - region.x) * size
            length = common.width * size
            data[target : target + length] = image.data[source : source + length]
    return Image(region.width, region.height, bytes(data), image.format)


def over(top: bytes, bottom: bytes, strength: bytes | None = None) -> bytes:
    """Straight-alpha `rgba8` pixels over others, a byte of strength for each."""
    if not any(bottom) and strength is None:
        return top
    result = bytearray(len(top))
    for index in range(0, len(top), 4):
        share = strength[index // 4] / 255 if strength is not None else 1.0
        alpha = top[index + 3] / 255 * share
        below = bottom[index + 3] / 255 * (1 - alpha)
        total = alpha + below
        if total:
            for channel in range(3):
                place = index + channel
                mixed = (top[place] * alpha + bottom[place] * below) / total
                result[place] = int(mixed + 0.5)
        result[index + 3] = int(total * 255 + 0.5)
    return bytes(result)
