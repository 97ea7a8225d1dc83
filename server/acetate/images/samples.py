"""Images as arrays of samples, and arrays of any number of channels as images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acetate_bridge.protocol.types import Image, PixelFormat

Samples = NDArray[np.unsignedinteger]


def samples_of(image: Image) -> Samples:
    """Height × width × 4, a view of the image's bytes."""
    dtype = np.dtype("u1") if image.format == "rgba8" else np.dtype("<u2")
    return np.frombuffer(image.data, dtype).reshape(image.height, image.width, 4)


def image_of(samples: Samples) -> Image:
    """The image of 8- or 16-bit samples: grey, grey with alpha, RGB or straight RGBA."""
    if samples.ndim == 2:
        samples = samples[..., None]
    height, width, channels = samples.shape
    if channels == 4:
        rgba = samples
    else:
        rgba = np.full((height, width, 4), np.iinfo(samples.dtype).max, samples.dtype)
        if channels >= 3:
            rgba[..., :channels] = samples
        else:
            rgba[..., :3] = samples[..., :1]
            if channels == 2:
                rgba[..., 3] = samples[..., 1]
    pixel_format: PixelFormat = "rgba8" if samples.dtype.itemsize == 1 else "rgba16"
    little = rgba.dtype.newbyteorder("<")
    return Image(width, height, np.ascontiguousarray(rgba, little).tobytes(), pixel_format)


def is_opaque(image: Image) -> bool:
    """Whether every pixel has full alpha."""
    alpha = samples_of(image)[..., 3]
    return bool((alpha == np.iinfo(alpha.dtype).max).all())
