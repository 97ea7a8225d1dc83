"""Noticing layers that are not what a painter expects of one."""

from __future__ import annotations

from acetate_bridge.protocol.types import Image

_VISIBLE = 0.05
_SOLID = 0.95
_FEW = 0.001
_OTHERWISE = "try another seed or other words."
_MATTING = "A matting network cuts out of any (acetate models import)."


def is_opaque(image: Image) -> bool:
    """Whether next to nothing of an image is transparent."""
    import numpy as np

    dtype = np.dtype("u1" if image.format == "rgba8" else "<u2")
    alpha = np.frombuffer(image.data, dtype)[3::4]
    return bool(np.count_nonzero(alpha < _SOLID * np.iinfo(dtype).max) < _FEW * alpha.size)


def alpha_warning(image: Image, prompted: bool = True) -> str:
    """A sentence when next to nothing, or next to everything, of a layer is visible; else "".

    `prompted` says that another seed and other words could help.
    """
    import numpy as np

    dtype = np.dtype("u1" if image.format == "rgba8" else "<u2")
    alpha = np.frombuffer(image.data, dtype)[3::4]
    top = np.iinfo(dtype).max
    if np.count_nonzero(alpha > _VISIBLE * top) < _FEW * alpha.size:
        cure = _OTHERWISE if prompted else "nothing in it stands out from its ground."
        return f"The layer came out empty: {cure}"
    if is_opaque(image):
        cure = _OTHERWISE if prompted else f"its ground is neither plain nor gentle. {_MATTING}"
        return f"The layer came out without transparency: {cure}"
    return ""
