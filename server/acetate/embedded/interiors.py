"""Scenes without a sky: rooms, tables, plain backdrops, water and space."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from acetate.embedded.scenes import PLAIN_COLOURS, Canvas, Picture, smooth_noise

UNDER_WATER, OUTER_SPACE = "under water with bubbles", "outer space with stars"
WEIGHTLESS = (UNDER_WATER, OUTER_SPACE)
"""Captions of scenes where nothing casts a shadow on a ground."""

WOOD = np.array((0.62, 0.42, 0.25), np.float32)


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _blank(canvas: Canvas) -> Picture:
    return np.zeros((canvas.size, canvas.size, 3), np.float32)


def _any_colour(canvas: Canvas) -> tuple[str, Picture]:
    name = canvas.colour or str(canvas.random.choice(list(PLAIN_COLOURS)))
    jitter = canvas.random.normal(0, 0.02, 3)
    return name, (np.array(PLAIN_COLOURS[name]) + jitter).clip(0, 1).astype(np.float32)


def _wood(canvas: Canvas, height: int, boards: int) -> Picture:
    grain = smooth_noise(canvas.random, height, canvas.size, 4)
    fine = smooth_noise(canvas.random, height, canvas.size, 90)
    planks = (np.arange(canvas.size) * boards // canvas.size) % 2
    tone = 0.9 + 0.16 * grain + 0.08 * fine + 0.06 * planks[None, :]
    return WOOD * tone[..., None]


def room(canvas: Canvas) -> tuple[Picture, str]:
    """A coloured wall, a skirting board and a wooden floor; often a window."""
    name, colour = _any_colour(canvas)
    picture = _blank(canvas)
    shade = np.linspace(0.92, 1.0, canvas.size, dtype=np.float32)[:, None, None]
    picture[:] = colour * shade
    if canvas.random.random() < 0.5:
        side = int(canvas.size * canvas.random.uniform(0.2, 0.3))
        left = int(canvas.random.integers(0, canvas.size - side))
        top = max(4, int(canvas.horizon * 0.5) - side // 2)
        picture[top - 4 : top + side + 4, left - 4 if left > 4 else 0 : left + side + 4] = 0.93
        picture[top : top + side, left : left + side] = np.array((0.62, 0.82, 0.95), np.float32)
        picture[top : top + side, left + side // 2 - 1 : left + side // 2 + 2] = 0.93
    picture[canvas.horizon :] = _wood(canvas, canvas.size - canvas.horizon, 9)
    picture[canvas.horizon - 5 : canvas.horizon] = 0.95
    return picture, f"a room with {_article(name)} {name} wall and a wooden floor"


def table(canvas: Canvas) -> tuple[Picture, str]:
    """A wooden table in front of a plain wall."""
    name, colour = _any_colour(canvas)
    picture = _blank(canvas)
    picture[:] = (
        colour * (1 - 0.1 * smooth_noise(canvas.random, canvas.size, canvas.size, 3))[..., None]
    )
    picture[canvas.horizon :] = _wood(canvas, canvas.size - canvas.horizon, 1)
    return picture, f"a wooden table in front of {_article(name)} {name} wall"


def tiles(canvas: Canvas) -> tuple[Picture, str]:
    """A tiled kitchen floor below a light wall."""
    picture = _blank(canvas)
    picture[:] = np.array((0.93, 0.92, 0.88), np.float32)
    rows = np.arange(canvas.size - canvas.horizon)
    depth = (rows / max(1, len(rows))) ** 0.6 * 6
    columns = (np.arange(canvas.size) - canvas.size / 2)[None, :]
    squares = (depth.astype(int)[:, None] + np.floor(columns / (12 + 34 * depth[:, None] / 6))) % 2
    picture[canvas.horizon :] = (0.55 + 0.4 * squares.astype(np.float32))[..., None]
    return picture, "a kitchen with a tiled floor"


def plain(canvas: Canvas) -> tuple[Picture, str]:
    """One colour, slightly lighter in the middle."""
    name, colour = _any_colour(canvas)
    axis = np.linspace(-1, 1, canvas.size, dtype=np.float32)
    glow = 1.05 - 0.12 * (axis[:, None] ** 2 + axis[None, :] ** 2)
    return colour * glow[..., None], f"a plain {name} background"


def underwater(canvas: Canvas) -> tuple[Picture, str]:
    """Blue water growing darker, bubbles, and a sandy bottom at the horizon line."""
    share = np.linspace(0, 1, canvas.size, dtype=np.float32)[:, None, None]
    top, deep = np.array((0.25, 0.72, 0.85)), np.array((0.03, 0.22, 0.48))
    picture = np.repeat((top * (1 - share) + deep * share).astype(np.float32), canvas.size, axis=1)
    drawing = Image.new("L", (canvas.size, canvas.size))
    pen = ImageDraw.Draw(drawing)
    for _ in range(int(canvas.random.integers(6, 20))):
        x, y = canvas.random.integers(0, canvas.size, 2)
        radius = int(canvas.random.integers(2, 8))
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=200, width=2)
    picture += (np.asarray(drawing, np.float32) / 255 * 0.5)[..., None]
    sand = canvas.horizon + (canvas.size - canvas.horizon) // 2
    picture[sand:] = np.array((0.62, 0.66, 0.52), np.float32) * 0.9
    return picture, UNDER_WATER


def space(canvas: Canvas) -> tuple[Picture, str]:
    """Stars and a nebula."""
    nebula = smooth_noise(canvas.random, canvas.size, canvas.size, 4)[..., None]
    hue = canvas.random.random(3).astype(np.float32)
    picture = np.array((0.02, 0.02, 0.07), np.float32) + nebula**2 * hue * 0.35
    for _ in range(int(canvas.random.integers(60, 160))):
        y, x = canvas.random.integers(0, canvas.size, 2)
        side = 1 + int(canvas.random.random() < 0.3)
        picture[y : y + side, x : x + side] = canvas.random.uniform(0.5, 1.0)
    return picture, OUTER_SPACE


INTERIORS: tuple[Callable[[Canvas], tuple[Picture, str]], ...] = (
    room,
    table,
    tiles,
    plain,
    underwater,
    space,
)
