"""Small pictures of layers, and what their transparency is like, in plain Python but quick."""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass
from typing import Any

from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image

SIDE = 96

_NEARLY_ALL = 0.999
_SOLID = 250
_CLEAR = 3


@dataclass(frozen=True)
class AlphaStatistics:
    """Shares of the pixels that are clear and solid, or nearly so."""

    clear: float
    solid: float

    @property
    def empty(self) -> bool:
        """Nothing is to be seen."""
        return self.clear >= _NEARLY_ALL

    @property
    def opaque(self) -> bool:
        """Nothing shines through."""
        return self.solid >= _NEARLY_ALL


def alpha_statistics(image: Image, part: Rect | None = None) -> AlphaStatistics:
    """How transparent an image is, or a part of it."""
    alpha = image.data[7::8] if image.format == "rgba16" else image.data[3::4]
    if part is not None:
        starts = range(part.y * image.width + part.x, part.bottom * image.width, image.width)
        alpha = b"".join(alpha[start : start + part.width] for start in starts)
    counts = [alpha.count(level) for level in (*range(_CLEAR), *range(_SOLID, 256))]
    total = len(alpha)
    return AlphaStatistics(sum(counts[:_CLEAR]) / total, sum(counts[_CLEAR:]) / total)


def thumbnail(image: Image, side: int = SIDE) -> Image:
    """The image at no more than `side` pixels each way, `rgba8`; smaller ones stay as they are.

    Each pixel is the mean of four samples, weighted by alpha.
    """
    data = image.data[1::2] if image.format == "rgba16" else image.data
    scale = max(image.width, image.height) / side
    if scale <= 1:
        return Image(image.width, image.height, bytes(data))
    width, height = max(1, round(image.width / scale)), max(1, round(image.height / scale))
    columns = [
        (
            4 * min(image.width - 1, int((x + 0.25) * image.width / width)),
            4 * min(image.width - 1, int((x + 0.75) * image.width / width)),
        )
        for x in range(width)
    ]
    rows = bytearray()
    for y in range(height):
        first, second = (
            min(image.height - 1, int((y + part) * image.height / height)) * image.width * 4
            for part in (0.25, 0.75)
        )
        for left, right in columns:
            rows += bytes(_mean(data, (first + left, first + right, second + left, second + right)))
    return Image(width, height, bytes(rows))


def stretched(image: Image, side: int) -> Image:
    """The image at `side` × `side` pixels, `rgba8`, whatever its shape; one sample for each."""
    data = image.data[1::2] if image.format == "rgba16" else image.data
    rows = bytearray()
    for y in range(side):
        row = (2 * y + 1) * image.height // (2 * side) * image.width
        for x in range(side):
            place = 4 * (row + (2 * x + 1) * image.width // (2 * side))
            rows += data[place : place + 4]
    return Image(side, side, bytes(rows))


def _mean(data: bytes, places: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    a, b, c, d = places
    ka, kb, kc, kd = data[a + 3], data[b + 3], data[c + 3], data[d + 3]
    weight = ka + kb + kc + kd
    if weight == 0:
        return (data[a], data[a + 1], data[a + 2], 0)
    half = weight // 2
    return (
        (data[a] * ka + data[b] * kb + data[c] * kc + data[d] * kd + half) // weight,
        (data[a + 1] * ka + data[b + 1] * kb + data[c + 1] * kc + data[d + 1] * kd + half)
        // weight,
        (data[a + 2] * ka + data[b + 2] * kb + data[c + 2] * kc + data[d + 2] * kd + half)
        // weight,
        (weight + 2) // 4,
    )


def pack_thumbnail(image: Image) -> dict[str, Any]:
    """A small `rgba8` image as plain values."""
    packed = base64.b64encode(zlib.compress(image.data, 6)).decode("ascii")
    return {"width": image.width, "height": image.height, "pixels": packed}


def unpack_thumbnail(value: Any) -> Image:
    """The image in plain values; raises ValueError for anything else, and for large ones."""
    try:
        width, height = int(value["width"]), int(value["height"])
        if not (0 < width <= 512 and 0 < height <= 512):
            raise ValueError("this is no thumbnail")
        unpacker = zlib.decompressobj()
        packed = base64.b64decode(str(value["pixels"]), validate=True)
        return Image(width, height, unpacker.decompress(packed, width * height * 4 + 1))
    except (KeyError, TypeError, binascii.Error, zlib.error) as error:
        raise ValueError("this is no thumbnail") from error
