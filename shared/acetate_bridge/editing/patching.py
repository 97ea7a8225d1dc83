"""A part that was repainted, put into the rest of its layer: in plain Python but quick."""

from __future__ import annotations

import re
from array import array
from itertools import repeat
from operator import add, mul, sub

from acetate_bridge.editing.editor import Selection
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import BYTES_PER_PIXEL, Image

_FULL = 255
_SPANS = re.compile(rb"\x00+|\xff+|[^\x00\xff]+", re.DOTALL)
"""Pixels beside one another that are not selected, fully selected, or softly."""


def cut(image: Image, place: Rect, region: Rect) -> Image:
    """What a region shows of an image that lies at `place`, clear outside of it."""
    pixel = BYTES_PER_PIXEL[image.format]
    data = bytearray(region.size.pixels * pixel)
    common = place.common(region)
    if common is not None:
        length = common.width * pixel
        for y in range(common.y, common.bottom):
            start = ((y - place.y) * place.width + common.x - place.x) * pixel
            there = ((y - region.y) * region.width + common.x - region.x) * pixel
            data[there : there + length] = image.data[start : start + length]
    return Image(region.width, region.height, bytes(data), image.format)


def patched(old: Image, place: Rect, new: Image, at: Rect, part: Selection) -> tuple[Image, Rect]:
    """The old image with the new one in its place where `part` is selected, and where it lies.

    Where that is selected half, colours are mixed half and half, weighted by their alpha. Both
    images have one format.
    """
    pixel, hull = BYTES_PER_PIXEL[old.format], _hull(place, part.bounds)
    data = bytearray(cut(old, place, hull).data)
    fresh = cut(new, at, part.bounds).data
    width = part.bounds.width
    for row in range(part.bounds.height):
        start = ((part.bounds.y - hull.y + row) * hull.width + part.bounds.x - hull.x) * pixel
        line = fresh[row * width * pixel : (row + 1) * width * pixel]
        there = slice(start, start + width * pixel)
        if part.mask is None:
            data[there] = line
        else:
            strengths = part.mask[row * width : (row + 1) * width]
            data[there] = _mixed(line, bytes(data[there]), strengths, pixel)
    return Image(hull.width, hull.height, bytes(data), old.format), hull


def _mixed(new: bytes, old: bytes, strengths: bytes, pixel: int) -> bytes:
    """A row of both, by how strongly each pixel of the new one counts."""
    found = bytearray(old)
    for span in _SPANS.finditer(strengths):
        first, last = span.span()
        inside, strong = slice(first * pixel, last * pixel), span.group()
        if strong[0] == _FULL:
            found[inside] = new[inside]
        elif strong[0]:
            found[inside] = _weighted(new[inside], old[inside], strong, pixel)
    return bytes(found)


def _weighted(new: bytes, old: bytes, strengths: bytes, pixel: int) -> bytes:
    kind = "B" if pixel == 4 else "H"
    one, other = array(kind, new), array(kind, old)
    mine = list(map(mul, one[3::4], strengths))
    rest = list(map(mul, other[3::4], map(sub, repeat(_FULL), strengths)))
    total = list(map(add, mine, rest))
    mixed = array(kind, bytes(len(new)))
    for channel in range(3):
        sums = map(add, map(mul, one[channel::4], mine), map(mul, other[channel::4], rest))
        pairs = zip(sums, total)  # noqa: B905 (as many)
        values = [(value + weight // 2) // weight if weight else 0 for value, weight in pairs]
        mixed[channel::4] = array(kind, values)
    mixed[3::4] = array(kind, [(weight + _FULL // 2) // _FULL for weight in total])
    return mixed.tobytes()


def _hull(one: Rect, other: Rect) -> Rect:
    left, top = min(one.x, other.x), min(one.y, other.y)
    right, bottom = max(one.right, other.right), max(one.bottom, other.bottom)
    return Rect(left, top, right - left, bottom - top)
