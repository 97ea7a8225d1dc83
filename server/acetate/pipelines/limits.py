"""Which sizes a model can paint, and how a size that a person asks for becomes a frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

from acetate.errors import BadRequest


@dataclass(frozen=True)
class SizeLimits:
    """Sides in pixels: `smallest` to `largest`, painted in multiples of `multiple`.

    `native` is the side of the square that the model was trained on, where it paints best.
    """

    native: int
    smallest: int
    largest: int
    multiple: int

    def check(self, width: int, height: int) -> None:
        """Raise BadRequest unless both sides lie within the limits."""
        if not all(self.smallest <= side <= self.largest for side in (width, height)):
            raise BadRequest(
                f"This model cannot paint {width} × {height} pixels: "
                f"each side must lie between {self.smallest} and {self.largest}."
            )

    def padded(self, width: int, height: int) -> tuple[int, int]:
        """The size in multiples of the model that holds this one."""
        return self._up(width), self._up(height)

    def fitting(self, width: int, height: int) -> tuple[int, int]:
        """The size to paint a region at: its proportions, the native area, within the limits.

        Proportions give way where a very long region would leave the limits.
        """
        scale = self.native / math.sqrt(width * height)
        painted_width, painted_height = (
            min(max(round(side * scale), self.smallest), self.largest) for side in (width, height)
        )
        return painted_width, painted_height

    def _up(self, side: int) -> int:
        return math.ceil(side / self.multiple) * self.multiple
