"""A selection as a picture: white is selected, grey partly, black and transparent not at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acetate_bridge.protocol.types import FillKind, Image

_LUMINANCE = np.array([0.299, 0.587, 0.114])


def strengths(selection: Image) -> NDArray[np.float64]:
    """How strongly each pixel is selected, [H, W] in [0, 1]; exactly 0 and 1 where it is so."""
    straight = _straight(selection)
    even = straight[..., :3].min(axis=-1) == straight[..., :3].max(axis=-1)
    value = np.where(even, straight[..., 0], straight[..., :3] @ _LUMINANCE)
    return value * straight[..., 3]


def freed(selection: Image, layer: Image, kind: FillKind) -> NDArray[np.float64]:
    """What of a layer may change, [H, W] in [0, 1]: the selection, or what is empty in it."""
    selected = strengths(selection)
    return selected * (1 - _straight(layer)[..., 3]) if kind == "expand" else selected


def mix(source: Image, painted: Image, selection: Image, kind: FillKind = "fill") -> Image:
    """The painted picture where it is free, the source where not, at the painted depth.

    Colour is mixed weighted by alpha. What is not free at all is the source to the last bit,
    colour under transparency included, where depths agree. All three have the same size.
    """
    weight = freed(selection, source, kind)[..., None]
    old, new = _straight(source), _straight(painted)
    kept, added = old[..., 3:] * (1 - weight), new[..., 3:] * weight
    alpha = kept + added
    seen = alpha > 0
    colour = np.where(
        seen,
        (old[..., :3] * kept + new[..., :3] * added) / np.where(seen, alpha, 1),
        old[..., :3] * (1 - weight) + new[..., :3] * weight,
    )
    samples = _samples(painted)
    top = np.iinfo(samples.dtype).max
    mixed = np.rint(np.concatenate([colour, alpha], axis=-1) * top).astype(samples.dtype)
    mixed = np.where(weight == 1, samples, mixed)
    exact = np.rint(old * top).astype(samples.dtype)
    data = np.where(weight == 0, exact, mixed).astype(samples.dtype).tobytes()
    return Image(painted.width, painted.height, data, painted.format)


def _samples(image: Image) -> NDArray[np.unsignedinteger]:
    dtype = np.dtype("u1") if image.format == "rgba8" else np.dtype("<u2")
    return np.frombuffer(image.data, dtype).reshape(image.height, image.width, 4)


def _straight(image: Image) -> NDArray[np.float64]:
    samples = _samples(image)
    return samples.astype(np.float64) / np.iinfo(samples.dtype).max
