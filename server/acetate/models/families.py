"""What is known of a family of models before one of them is loaded."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from acetate_bridge.protocol.geometry import FrameLimits


@dataclass(frozen=True)
class Family:
    """Sides of a frame are multiples of `multiple`; `steps` and `guidance` suit most prompts."""

    multiple: int
    steps: int
    guidance: float
    modes: tuple[str, ...]

    def frames(self, native: int) -> FrameLimits:
        """Sizes near the native square: far from it, objects repeat or lose their shape."""
        return FrameLimits(
            multiple=self.multiple,
            smallest=native * 3 // 4,
            largest=native * 2,
            most_pixels=native**2 * 3 // 2,
        )

    def advice(self, scheduler: str = "") -> tuple[int, float]:
        """Steps and guidance for a scheduler: those of its few-step preset, or the family's."""
        return FEW_STEPS.get(scheduler, (self.steps, self.guidance))


FEW_STEPS = {"lightning": (4, 1.0), "hyper": (8, 1.0)}
"""Steps and guidance of the schedulers for bases that were distilled to few steps.

A guidance of 1 is none: what to avoid is not heard, and a step costs half (SDXL-Lightning,
Hyper-SD)."""

_DISTILLED = {"lightning": r"lightning", "hyper": r"hyper[-_ ]?(sd|xl|15)|(^|[-_ ])hyper([-_ ]|$)"}


def preset_told_by(name: str) -> str:
    """The scheduler of a base whose name says that it was distilled; empty for others."""
    for scheduler, pattern in _DISTILLED.items():
        if re.search(pattern, name.lower()):
            return scheduler
    return ""


def second_pass(limits: FrameLimits) -> FrameLimits:
    """The sizes at which a layer is refined: its shapes are there already, so all of the square."""
    return replace(limits, most_pixels=limits.largest**2)


FAMILIES = {
    "layered": Family(16, 50, 4.0, ("decompose",)),
    "embedded": Family(16, 20, 3.0, ("text", "background", "refine")),
    # The official decoder halves the sides six times; steps and guidance are its authors' advice.
    "sd15": Family(64, 20, 7.0, ("text", "background", "foreground", "joint", "refine")),
    "sdxl": Family(64, 20, 7.0, ("text", "background", "foreground", "joint", "refine", "extract")),
    "flux": Family(64, 28, 3.5, ("text", "refine")),
}
