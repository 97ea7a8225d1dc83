"""Which frames a model paints well."""

from __future__ import annotations

from acetate_bridge.geometry import FrameLimits


def frame_limits(native: int, multiple: int) -> FrameLimits:
    """Sizes near the native square: far from it, objects repeat or lose their shape."""
    return FrameLimits(
        multiple=multiple,
        smallest=native * 3 // 4,
        largest=native * 2,
        most_pixels=native**2 * 3 // 2,
    )
