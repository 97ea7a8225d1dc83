"""Views of a drawing to learn from: moved, turned, recoloured, aged, and its lines alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from acetate.embedded.recolour import PAINTS, aged, recolour

Pixels = NDArray[np.uint8]
Random = np.random.Generator

WORDS = (*PAINTS, "old", "tiny")
"""What a drawing can be made: a colour, a material, old or tiny."""


def moved(
    pixels: Pixels, random: Random, low: float = 0.7, high: float = 1.0, turn: float = 5.0
) -> Pixels:
    """A view at `low` to `high` of the size, somewhere in the frame, turned by a few degrees."""
    size: int = pixels.shape[0]
    side = int(size * random.uniform(low, high))
    picture = Image.fromarray(pixels).convert("RGBa")
    picture = picture.resize((side, side), Image.Resampling.LANCZOS)
    if turn:
        picture = picture.rotate(float(random.normal(0, turn)), Image.Resampling.BICUBIC)
    frame = Image.new("RGBa", (size, size))
    room = size - side
    top = int(random.integers(0, room + 1))
    frame.paste(picture, (int(random.integers(0, room + 1)), top))
    view = np.asarray(frame.convert("RGBA"))
    return np.ascontiguousarray(view[:, ::-1]) if random.random() < 0.5 else view


def changed(pixels: Pixels, word: str, random: Random) -> Pixels | None:
    """The drawing as one of `WORDS` says; None where that changes nothing."""
    if word == "old":
        return aged(pixels)
    if word == "tiny":
        return moved(pixels, random, 0.35, 0.5, turn=0)
    return recolour(pixels, word)


def lines_of(pixels: Pixels, random: Random, scribble: bool) -> Pixels:
    """Light outlines on black, RGB [H, W, 3]: rough ones for a scribble, fine ones otherwise."""
    alpha = pixels[..., 3].astype(np.float32) / 255
    grey = (pixels[..., :3].astype(np.float32) / 255).mean(-1) * alpha + (1 - alpha) * 0.5
    if scribble:
        grey = alpha * 0.6 + 0.4 * grey
    radius = 3.0 if scribble else 1.2
    inner, outer = (6, 8) if scribble else (9, 9)
    edges = np.maximum(_slope(grey, radius) * inner, _slope(alpha, radius) * outer)
    lines = Image.fromarray(((edges > 0.35) * 255).astype(np.uint8))
    if scribble:
        lines = lines.filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.GaussianBlur(1))
    elif random.random() < 0.5:
        lines = lines.filter(ImageFilter.MinFilter(3))
    return np.repeat(np.asarray(lines)[..., None], 3, -1)


def _slope(plane: NDArray[np.floating], radius: float) -> NDArray[np.floating]:
    picture = Image.fromarray((plane * 255).astype(np.uint8))
    soft = np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)), np.float32) / 255
    down, across = np.gradient(soft)
    return np.hypot(down, across)
