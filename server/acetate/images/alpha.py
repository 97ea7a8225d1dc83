"""Noticing layers that are not what a painter expects of one."""

from __future__ import annotations

from acetate_bridge.protocol.types import Image

_VISIBLE = 0.05
_SOLID = 0.95
_FEW = 0.001


def alpha_warning(image: Image) -> str:
    """A sentence when next to nothing, or next to everything, of a layer is visible; else ""."""
    import numpy as np

    dtype = np.dtype("u1" if image.format == "rgba8" else "<u2")
    alpha = np.frombuffer(image.data, dtype)[3::4]
    top = np.iinfo(dtype).max
    if np.count_nonzero(alpha > _VISIBLE * top) < _FEW * alpha.size:
        return "The layer came out empty: try another seed or other words."
    if np.count_nonzero(alpha < _SOLID * top) < _FEW * alpha.size:
        return "The layer came out without transparency: try another seed or other words."
    return ""
