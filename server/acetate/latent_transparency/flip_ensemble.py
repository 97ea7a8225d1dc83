"""The flips and rotations under which a layer is decoded, to take their median."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Turn:
    """An optional mirror along the width, then `quarters` quarter turns to the left."""

    mirrored: bool
    quarters: int

    def apply(self, image: Tensor) -> Tensor:
        if self.mirrored:
            image = image.flip(-1)
        return torch.rot90(image, self.quarters, (-2, -1))

    def undo(self, image: Tensor) -> Tensor:
        image = torch.rot90(image, -self.quarters, (-2, -1))
        return image.flip(-1) if self.mirrored else image

    @property
    def lying(self) -> bool:
        """Whether the turned image has its sides swapped."""
        return self.quarters % 2 == 1


TURNS: dict[int, tuple[Turn, ...]] = {
    1: (Turn(False, 0),),
    2: (Turn(False, 0), Turn(True, 0)),
    4: (Turn(False, 0), Turn(True, 0), Turn(False, 2), Turn(True, 2)),
    8: tuple(Turn(mirrored, quarters) for mirrored in (False, True) for quarters in range(4)),
}
"""Which turns make up a decode of 1, 2, 4 or 8 passes.

8 is the published set: both mirrors of all four rotations. 4 keeps the ones that do not swap the
sides (the four mirrors along the two axes), 2 the image and its mirror.
"""


def turns_for(passes: int) -> tuple[Turn, ...]:
    """The turns of a decode of that many passes; ValueError unless it is 1, 2, 4 or 8."""
    if passes not in TURNS:
        raise ValueError(f"a layer is decoded in 1, 2, 4 or 8 passes, not {passes}")
    return TURNS[passes]


def lower_median(stack: Tensor) -> Tensor:
    """Median along the first axis; of an even count, the lower of the two in the middle.

    So a decode of two passes takes the smaller value, of eight the fourth smallest.
    """
    return stack[0] if len(stack) == 1 else stack.median(dim=0).values
