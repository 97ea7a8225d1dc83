"""Pictures of known shapes, and plain figures of what came of them: no numpy inside editors."""

from __future__ import annotations

import math
from collections.abc import Callable

from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image

Colour = tuple[int, int, int]
Disc = tuple[float, float, float]
"""Middle (x, y) and radius, in pixels of the document."""


def drawn(bounds: Rect, paint: Callable[[float, float], tuple[float, ...]]) -> Image:
    """A picture at `bounds`; `paint` gives straight RGBA in 0 to 255 for the middle of a pixel."""
    data = bytearray()
    for y in range(bounds.y, bounds.bottom):
        for x in range(bounds.x, bounds.right):
            data += bytes(min(255, max(0, round(one))) for one in paint(x + 0.5, y + 0.5))
    return Image(bounds.width, bounds.height, bytes(data))


def inside(disc: Disc, x: float, y: float, soft: float = 1.0) -> float:
    """How much of a pixel a disc covers (0 to 1), with an edge as wide as `soft` pixels."""
    return min(1.0, max(0.0, (disc[2] - math.hypot(x - disc[0], y - disc[1])) / soft + 0.5))


def ball(disc: Disc, colour: Colour, x: float, y: float) -> Colour:
    """The colour of a ball that is lit from the upper left, at a place on it."""
    light = 1.0 - 0.35 * ((x - disc[0]) + (y - disc[1])) / (2 * disc[2])
    red, green, blue = (min(255, max(0, round(one * light))) for one in colour)
    return red, green, blue


class Placed:
    """A straight `rgba8` picture that lies at a place of its document."""

    def __init__(self, image: Image, bounds: Rect) -> None:
        assert image.format == "rgba8"
        self.image, self.bounds = image, bounds

    def pixel(self, x: int, y: int) -> tuple[int, int, int, int]:
        """What is at a place of the document; clear outside the picture."""
        across, down = x - self.bounds.x, y - self.bounds.y
        if not (0 <= across < self.bounds.width and 0 <= down < self.bounds.height):
            return 0, 0, 0, 0
        at = (down * self.bounds.width + across) * 4
        red, green, blue, alpha = self.image.data[at : at + 4]
        return red, green, blue, alpha

    def alphas(self, region: Rect | None = None) -> list[int]:
        """The alpha of every pixel of a region, by rows; of the whole picture without one."""
        if region is None:
            return list(self.image.data[3::4])
        return [self.pixel(x, y)[3] for x, y in _places(region)]

    def share(self, least: int, region: Rect | None = None) -> float:
        """Share of the pixels whose alpha is at least that."""
        found = self.alphas(region)
        return sum(alpha >= least for alpha in found) / max(1, len(found))

    def colour(self, region: Rect | None = None) -> Colour:
        """The mean colour of what is solid there, weighted by alpha."""
        sums, total = [0.0, 0.0, 0.0], 0
        for x, y in _places(region or self.bounds):
            *rgb, alpha = self.pixel(x, y)
            total += alpha
            for channel, value in enumerate(rgb):
                sums[channel] += value * alpha
        red, green, blue = (round(one / max(1, total)) for one in sums)
        return red, green, blue

    def agreement(self, disc: Disc, region: Rect) -> float:
        """Alpha against a disc: what they share of what either has (intersection over union)."""
        both = either = 0.0
        for x, y in _places(region):
            one, other = self.pixel(x, y)[3] / 255, inside(disc, x + 0.5, y + 0.5)
            both += min(one, other)
            either += max(one, other)
        return both / max(1e-6, either)


def composite(layers: list[Placed], region: Rect, paper: Colour = (0, 0, 0)) -> Placed:
    """Layers over paper, the topmost first, in the values that they have (sRGB)."""
    data = bytearray()
    for x, y in _places(region):
        seen = [float(one) for one in paper]
        for layer in reversed(layers):
            *rgb, alpha = layer.pixel(x, y)
            seen = [b + (t - b) * alpha / 255 for t, b in zip(rgb, seen)]  # noqa: B905
        data += bytes((*(round(one) for one in seen), 255))
    return Placed(Image(region.width, region.height, bytes(data)), region)


def difference(one: Placed, other: Placed, region: Rect) -> float:
    """How far the colours of two opaque pictures lie apart on average, 0 to 255."""
    total = sum(
        abs(a - b)
        for x, y in _places(region)
        for a, b in zip(one.pixel(x, y)[:3], other.pixel(x, y)[:3])  # noqa: B905
    )
    return total / (3 * max(1, region.width * region.height))


def _places(region: Rect) -> list[tuple[int, int]]:
    return [(x, y) for y in range(region.y, region.bottom) for x in range(region.x, region.right)]
