"""What is known of a family of models before one of them is loaded."""

from __future__ import annotations

from dataclasses import dataclass

from acetate_bridge.geometry import FrameLimits


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


FAMILIES = {
    "embedded": Family(16, 20, 3.0, ("text", "background", "refine")),
    # The official decoder halves the sides six times; steps and guidance are its authors' advice.
    "sd15": Family(64, 20, 7.0, ("text", "background", "foreground", "joint", "refine")),
    "sdxl": Family(64, 20, 7.0, ("text", "background", "foreground", "joint", "refine", "extract")),
    "flux": Family(64, 28, 3.5, ("text", "refine")),
}
