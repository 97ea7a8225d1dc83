"""The frame that a model paints at, chosen for a region of a document.

All of it is integer arithmetic on plain values. A painter asks for a *region* (what shall be
returned); the *canvas* is the part of the document that the model sees (the region, context
around it, and whatever it takes to reach a size that the model accepts); the *size* is what the
canvas measures when the model paints it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from acetate_bridge.protocol.geometry import Rect, Size

_GOOD_SHARE = 0.96
"""How much of what is painted shall reach the document."""
_WASTE_COUNTS = 24.0
"""How much a share that is wasted counts against a number of pixels that is another."""


@dataclass(frozen=True)
class FrameLimits:
    """The sizes that a model accepts: sides that are multiples, within bounds, in pixels.

    `smallest` and `largest` bound each side and are rounded to multiples (up and down);
    `most_pixels` bounds the area.
    """

    multiple: int = 64
    smallest: int = 256
    largest: int = 2048
    most_pixels: int = 1024 * 1024

    def __post_init__(self) -> None:
        if self.multiple < 1 or self.smallest < 1 or self.largest < self.smallest:
            raise ValueError("frame limits need 1 ≤ smallest ≤ largest and a positive multiple")
        if self.lowest > self.highest:
            raise ValueError(
                f"no multiple of {self.multiple} lies between {self.smallest} and {self.largest}"
            )
        if self.most_pixels < self.lowest**2:
            raise ValueError(f"{self.most_pixels} pixels cannot hold the smallest frame")

    @property
    def lowest(self) -> int:
        """The shortest side that is allowed."""
        return math.ceil(self.smallest / self.multiple) * self.multiple

    @property
    def highest(self) -> int:
        """The longest side that is allowed."""
        return self.largest // self.multiple * self.multiple

    def allow(self, size: Size) -> bool:
        """Whether the model can paint at exactly this size."""
        return (
            all(
                self.lowest <= side <= self.highest and side % self.multiple == 0
                for side in (size.width, size.height)
            )
            and size.pixels <= self.most_pixels
        )


@dataclass(frozen=True)
class Frame:
    """The map between a region of the document and the size that the model paints at.

    `canvas` is in document pixels, contains `region`, and is painted at `size`; both axes are
    scaled alike but for the rounding of the canvas to whole pixels.
    Raises ValueError when the canvas does not contain the region.
    """

    region: Rect
    canvas: Rect
    size: Size

    def __post_init__(self) -> None:
        if not self.canvas.contains(self.region):
            raise ValueError("the canvas of a frame must contain its region")

    @property
    def scale(self) -> float:
        """Painted pixels per document pixel."""
        return math.sqrt(self.size.pixels / self.canvas.size.pixels)

    @property
    def resampled(self) -> bool:
        """Whether painted and document pixels differ in size."""
        return self.size != self.canvas.size

    @property
    def crop(self) -> Rect:
        """The region within the canvas."""
        return self.region.moved(-self.canvas.x, -self.canvas.y)


def plan_frame(
    region: Rect, limits: FrameLimits, context: int = 0, never_smaller: bool = False
) -> Frame:
    """The frame for a region with `context` document pixels around it, centred on the region.

    One document pixel is one painted pixel where a legal size nearly is the region's; else the
    legal size whose shape covers it best, with about as many pixels, and more rather than fewer:
    what reaches the document is at least 96 % of it wherever the limits have such a size, and a
    square is painted as a square. `never_smaller` does without that share where it takes fewer
    pixels than the region has. The canvas grows beyond what was asked for where the model's
    multiples or its aspect limits need it, and may leave the document.
    """
    wanted = region.grown(max(0, context))
    size = _size_for(wanted.size, limits, never_smaller)
    scale = _fitting(wanted.size, size)
    if size.width >= wanted.width and size.height >= wanted.height:
        # A little context rather than a picture that is resampled by a hair.
        scale = 1.0 if wanted.size.pixels >= _GOOD_SHARE * size.pixels else scale
    canvas_size = Size(
        max(wanted.width, round(size.width / scale)),
        max(wanted.height, round(size.height / scale)),
    )
    canvas = Rect(
        wanted.x - (canvas_size.width - wanted.width) // 2,
        wanted.y - (canvas_size.height - wanted.height) // 2,
        canvas_size.width,
        canvas_size.height,
    )
    return Frame(region, canvas, size)


def _scale_for(wanted: Size, limits: FrameLimits) -> float:
    """1 where that is possible; else the scale that comes nearest to it."""
    shortest, longest = sorted((wanted.width, wanted.height))
    up = max(1.0, limits.lowest / longest)
    scale = min(up, limits.highest / longest, math.sqrt(limits.most_pixels / wanted.pixels))
    return min(scale, limits.highest / shortest)


def _size_for(wanted: Size, limits: FrameLimits, never_smaller: bool) -> Size:
    """The allowed size that suits a region best."""
    up = Size(_round_up(wanted.width, limits.multiple), _round_up(wanted.height, limits.multiple))
    if limits.allow(up) and wanted.pixels >= _GOOD_SHARE * up.pixels:
        return up
    aim = _scale_for(wanted, limits)
    sizes = list(_sizes_like(wanted, limits)) or [Size(limits.lowest, limits.lowest)]
    large = [size for size in sizes if _fitting(wanted, size) >= min(1.0, aim) - 1e-9]
    if large and (never_smaller or max(_share(wanted, size) for size in large) >= _GOOD_SHARE):
        sizes = large
    good = [size for size in sizes if _share(wanted, size) >= _GOOD_SHARE]

    def cost(size: Size) -> float:
        pixels = 2 * abs(math.log(_fitting(wanted, size) / aim))
        return pixels + _WASTE_COUNTS * (1 - _share(wanted, size))

    return min(good or sizes, key=cost)


def _sizes_like(wanted: Size, limits: FrameLimits) -> Iterator[Size]:
    """Allowed sizes of about the shape of a region; of a square, squares."""
    for width in range(limits.lowest, limits.highest + 1, limits.multiple):
        height = width * wanted.height / wanted.width
        below = math.floor(height / limits.multiple + 1e-9) * limits.multiple
        for each in {below, _round_up(height, limits.multiple)}:
            side = min(limits.highest, max(limits.lowest, each))
            if width * side <= limits.most_pixels:
                yield Size(width, side)


def _fitting(wanted: Size, size: Size) -> float:
    """The scale at which a region just fits into a size."""
    return min(size.width / wanted.width, size.height / wanted.height)


def _share(wanted: Size, size: Size) -> float:
    """How much of a size a region covers that just fits into it."""
    return wanted.pixels * _fitting(wanted, size) ** 2 / size.pixels


def _round_up(length: float, multiple: int) -> int:
    # A hair of tolerance: 512.0000001 is 512 that went through a square root.
    return math.ceil(length / multiple - 1e-6) * multiple
