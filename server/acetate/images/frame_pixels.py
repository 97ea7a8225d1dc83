"""Pixels between document and frame: what the model is shown, and where its layers come to lie.

Colour is resampled weighted by its alpha (premultiplied), with a trace of weight left for what is
fully transparent, so that hidden colour stays smooth and no edge takes on a foreign hue.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from acetate.errors import BadImage, BadResult
from acetate_bridge.protocol.frame_planning import Frame
from acetate_bridge.protocol.geometry import Rect, Size
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.types import Image, Layer

# Below half a step of 16-bit alpha: too little to move a visible pixel.
_HIDDEN_WEIGHT = np.float32(2.0**-18)
_BAND_PIXELS = 4 * 2**20
"""Pixels of a result that are worked on at once, in a dozen planes of single precision."""

_SMOOTH, _SHARP = Pillow.Resampling.BILINEAR, Pillow.Resampling.LANCZOS


def show_frame(image: Image, frame: Frame) -> Image:
    """An image of the frame's canvas at the size that the model paints.

    Takes one that is already at the frame's size as it is; raises BadImage for any other.
    """
    size = Size(image.width, image.height)
    if size == frame.size:
        return image
    if size != frame.canvas.size:
        raise BadImage(
            f"An input image has {image.width} × {image.height} pixels, but the frame shows "
            f"{frame.canvas.width} × {frame.canvas.height}.",
        )
    return resample(image, frame.size)


def on_canvas(image: Image, frame: Frame) -> Image:
    """A picture of the frame's region on its canvas, with transparency around."""
    samples = _samples(image)
    canvas = np.zeros((frame.canvas.height, frame.canvas.width, 4), samples.dtype)
    inside = frame.crop
    canvas[inside.y : inside.bottom, inside.x : inside.right] = samples
    return Image(frame.canvas.width, frame.canvas.height, canvas.tobytes(), image.format)


def place_layer(layer: Layer, frame: Frame) -> Layer:
    """A layer at the frame's size, brought to document pixels and cut to the frame's region."""
    image = layer.image
    scale = _enlarged(layer)
    if scale > 1:
        return _place_enlarged(layer, frame, scale)
    if Size(image.width, image.height) != frame.size:
        raise BadResult(
            f"The model painted {image.width} × {image.height} pixels instead of "
            f"{frame.size.width} × {frame.size.height}.",
        )
    if frame.resampled:
        image = resample(image, frame.canvas.size)
    return replace(layer, image=crop(image, frame.crop), x=frame.region.x, y=frame.region.y)


def _enlarged(layer: Layer) -> int:
    """How many times as large as its frame a layer is meant to be."""
    recipe = layer.recipe
    return recipe.scale if recipe is not None and mode_row(recipe.mode).enlarges else 1


def _place_enlarged(layer: Layer, frame: Frame, scale: int) -> Layer:
    """An enlarged layer, its middle where it was; the frame shows the document pixel by pixel."""
    image, inside, region = layer.image, frame.crop, frame.region
    wanted = Size(frame.size.width * scale, frame.size.height * scale)
    if frame.resampled or Size(image.width, image.height) != wanted:
        raise BadResult(
            f"The layer was enlarged to {image.width} × {image.height} pixels instead of "
            f"{wanted.width} × {wanted.height}.",
        )
    part = Rect(*(side * scale for side in (inside.x, inside.y, inside.width, inside.height)))
    x, y = (
        start - (side * scale - side) // 2
        for start, side in ((region.x, region.width), (region.y, region.height))
    )
    return replace(layer, image=crop(image, part), x=x, y=y)


def keep_alpha(layer: Layer, source: Image) -> Layer:
    """The layer with the alpha of a source of its size, to the last bit where depths agree.

    For a frame that is painted at another size, where alpha comes back resampled.
    """
    painted, given = _samples(layer.image).copy(), _samples(source)[..., 3].astype(np.float64)
    top = np.iinfo(painted.dtype).max
    painted[..., 3] = np.rint(given * (top / np.iinfo(_samples(source).dtype).max))
    return replace(layer, image=replace(layer.image, data=painted.tobytes()))


def crop(image: Image, rect: Rect) -> Image:
    """The part of an image inside a rectangle that lies within it."""
    if rect == Rect(0, 0, image.width, image.height):
        return image
    part = _samples(image)[rect.y : rect.bottom, rect.x : rect.right]
    return Image(rect.width, rect.height, part.tobytes(), image.format)


def resample(image: Image, size: Size) -> Image:
    """The image at another size, colour weighted by its alpha, 8 or 16 bits kept.

    Lanczos where there is something to see. Its lobes would make rings around an edge, and noise
    of colour that hardly weighs anything, so towards transparency a positive kernel takes over.
    A large result is made in bands of rows, so that it fits into memory.
    """
    samples = _samples(image)
    top = np.float32(np.iinfo(samples.dtype).max)
    opaque = bool((samples[..., 3] == top).all())
    alpha = samples[..., 3].astype(np.float32) / top
    weight = alpha * (np.float32(1) - _HIDDEN_WEIGHT) + _HIDDEN_WEIGHT
    weighted = [samples[..., channel].astype(np.float32) / top * weight for channel in range(3)]
    rows = max(1, _BAND_PIXELS // size.width)
    result = np.empty((size.height, size.width, 4), samples.dtype)
    for start in range(0, size.height, rows):
        stop = min(size.height, start + rows)
        shown = (
            _opaque_band(weighted, size, start, stop)
            if opaque
            else _band(alpha, weight, weighted, size, start, stop)
        )
        result[start:stop] = np.rint(np.clip(shown, 0, 1) * top)
    return Image(size.width, size.height, result.tobytes(), image.format)


def _opaque_band(
    colour: Sequence[NDArray[np.floating]], size: Size, start: int, stop: int
) -> NDArray[np.floating]:
    """The same of an opaque picture, where every colour weighs as much and all can be sharp."""
    planes = _resized(colour, [_SHARP], size, start, stop)
    return np.stack([*planes, np.ones_like(planes[0])], axis=-1)


def _band(
    alpha: NDArray[np.floating],
    weight: NDArray[np.floating],
    weighted: Sequence[NDArray[np.floating]],
    size: Size,
    start: int,
    stop: int,
) -> NDArray[np.floating]:
    """Some rows of the result, in [0, 1]."""

    found = _resized([weight, alpha, *weighted], [_SMOOTH, _SHARP], size, start, stop)
    smooth_weight, sharp_weight, smooth_alpha, sharp_alpha = found[:4]
    sharpness = np.clip((np.minimum(smooth_weight, sharp_weight) - 0.02) / 0.08, 0, 1)
    sharp_divisor = np.maximum(sharp_weight, 0.02)
    planes: list[NDArray[np.floating]] = []
    for smooth, sharp in zip(found[4::2], found[5::2], strict=True):
        smooth, sharp = smooth / smooth_weight, sharp / sharp_divisor
        planes.append(smooth + (sharp - smooth) * sharpness)
    planes.append(smooth_alpha + (sharp_alpha - smooth_alpha) * sharpness)
    return np.stack(planes, axis=-1)


def _samples(image: Image) -> NDArray[np.unsignedinteger]:
    dtype = np.dtype("u1") if image.format == "rgba8" else np.dtype("<u2")
    return np.frombuffer(image.data, dtype=dtype).reshape(image.height, image.width, 4)


def _resized(
    planes: Sequence[NDArray[np.floating]],
    kernels: Sequence[Pillow.Resampling],
    size: Size,
    start: int,
    stop: int,
) -> list[NDArray[np.float32]]:
    """Rows `start` to `stop` of each plane by each kernel in turn, several at a time.

    What lies around those rows is seen, too.
    """

    def resize(plane: NDArray[np.floating], kernel: Pillow.Resampling) -> NDArray[np.float32]:
        height, width = plane.shape
        scale = height / size.height
        box = (0.0, start * scale, float(width), min(height, stop * scale))
        picture = Pillow.fromarray(np.ascontiguousarray(plane, np.float32))
        return np.asarray(picture.resize((size.width, stop - start), kernel, box))

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return list(pool.map(resize, *zip(*product(planes, kernels), strict=True)))
