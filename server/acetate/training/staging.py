"""Put a subject into a scene: where it stands decides the horizon, and the ground its shadow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from acetate.embedded.backdrops import SHADOW
from acetate.embedded.interiors import INTERIORS, WEIGHTLESS
from acetate.embedded.scenes import GROUNDS, SKIES, Canvas, Picture, Random, Scene, paint_sky

from .dataset import PictureSet


@dataclass(frozen=True)
class Staged:
    """A layer on its frame, straight RGBA uint8 [S, S, 4], and the scene that belongs behind it."""

    layer: NDArray[np.uint8]
    scene: Scene


def stage(layer: NDArray[np.uint8], random: Random) -> Staged:
    """Place a square layer somewhere in a frame of its own size and paint the scene around it."""
    size = layer.shape[0]
    placed = _place(layer, random)
    rows = np.flatnonzero((placed[..., 3] > 127).any(1))
    foot = int(rows[-1]) if len(rows) else size - 1
    above = int(np.clip(random.uniform(0.04, 0.28) * size, 6, None))
    horizon = int(np.clip(foot - above, size * 0.28, size * 0.86))
    picture, caption = paint(Canvas(size, horizon, random))
    if caption not in WEIGHTLESS:
        _cast_shadow(picture, placed, foot, horizon)
    pixels = (picture.clip(0, 1) * 255 + 0.5).astype(np.uint8)
    return Staged(placed, Scene(pixels, caption, horizon / size))


def empty_scene(size: int, random: Random) -> Scene:
    """A scene with nobody in it."""
    horizon = int(size * random.uniform(0.35, 0.75))
    picture, caption = paint(Canvas(size, horizon, random))
    return Scene((picture.clip(0, 1) * 255 + 0.5).astype(np.uint8), caption, horizon / size)


def write_backdrops(folder: Path, pictures: PictureSet, count: int, seed: int) -> None:
    """Paint `count` scenes around training pictures into `folder`/scenes.npy, uint8 RGB."""
    random = np.random.default_rng(seed)
    rows = pictures.rows("train")
    shape = (count, *pictures.pixels.shape[1:3], 3)
    half = folder / "scenes.half.npy"
    out = np.lib.format.open_memmap(half, mode="w+", dtype=np.uint8, shape=shape)
    for number in range(count):
        layer = np.asarray(pictures.pixels[random.choice(rows)])
        out[number] = stage(layer, random).scene.pixels
    out.flush()
    half.replace(folder / "scenes.npy")


def paint(canvas: Canvas) -> tuple[Picture, str]:
    """Any scene on a canvas, RGB [S, S, 3] around [0, 1], with its caption."""
    if canvas.random.random() < 0.3:
        return INTERIORS[int(canvas.random.integers(len(INTERIORS)))](canvas)
    kind = str(canvas.random.choice(list(GROUNDS)))
    words, draw = GROUNDS[kind]
    sky = SKIES[int(canvas.random.choice(len(SKIES), p=(0.35, 0.2, 0.18, 0.15, 0.12)))]
    picture = paint_sky(canvas, sky)
    behind = picture.copy()
    draw(canvas, picture)
    drawn = (picture != behind).any(-1, keepdims=True)
    lit = picture * sky.light * np.array(sky.tint, np.float32)
    caption = f"{canvas.random.choice(words)} {canvas.random.choice(sky.words)}"
    return np.where(drawn, lit, picture), caption


def _place(layer: NDArray[np.uint8], random: Random) -> NDArray[np.uint8]:
    size: int = layer.shape[0]
    side = int(size * random.uniform(0.45, 1.0))
    picture = Image.fromarray(layer).convert("RGBa").resize((side, side), Image.Resampling.BOX)
    frame = Image.new("RGBa", (size, size))
    left = int(random.integers(0, size - side + 1))
    top = int((size - side) * random.uniform(0.3, 1.0))
    frame.paste(picture, (left, top))
    return np.asarray(frame.convert("RGBA"))


def _cast_shadow(picture: Picture, layer: NDArray[np.uint8], foot: int, horizon: int) -> None:
    """Darken the ground in an ellipse under the lowest part of the subject."""
    size = len(picture)
    low = layer[max(0, foot - size // 8) : foot + 1, :, 3] > 127
    columns = np.flatnonzero(low.any(0))
    if len(columns) == 0:
        return
    centre, half = float(columns.mean()), max(6.0, (columns[-1] - columns[0]) / 2 * 1.1)
    y, x = np.mgrid[0:size, 0:size]
    distance = ((x - centre) / half) ** 2 + ((y - foot + 2) / (half * 0.28)) ** 2
    shadow = Image.fromarray(((distance < 1) * 255).astype(np.uint8))
    soft = np.asarray(shadow.filter(ImageFilter.GaussianBlur(size / 64)), np.float32) / 255
    soft[:horizon] = 0
    picture *= 1 - SHADOW * soft[..., None]
