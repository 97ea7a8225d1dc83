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

    def frames(self, native: int) -> FrameLimits:
        """Sizes near the native square: far from it, objects repeat or lose their shape."""
        return FrameLimits(
            multiple=self.multiple,
            smallest=native * 3 // 4,
            largest=native * 2,
            most_pixels=native**2 * 3 // 2,
        )


FAMILIES = {
    "embedded": Family(multiple=16, steps=20, guidance=3.0),
    # The official decoder halves the sides six times; steps and guidance are its authors' advice.
    "sd15": Family(multiple=64, steps=20, guidance=7.0),
    "sdxl": Family(multiple=64, steps=20, guidance=7.0),
    "flux": Family(multiple=64, steps=28, guidance=3.5),
}
