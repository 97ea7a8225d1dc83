"""Painted scenes with captions: unlimited backgrounds whose horizon and light are known.

A scene may have a subject: then the horizon lies above the subject's foot, and the ground under
the foot carries its contact shadow. That is all that a background has to know about a layer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Picture = NDArray[np.floating]
Random = np.random.Generator
Colour = tuple[float, float, float]

PLAIN_COLOURS: dict[str, Colour] = {
    "red": (0.82, 0.18, 0.18),
    "orange": (0.95, 0.55, 0.15),
    "yellow": (0.97, 0.85, 0.30),
    "green": (0.30, 0.65, 0.32),
    "blue": (0.22, 0.45, 0.85),
    "purple": (0.52, 0.30, 0.72),
    "pink": (0.95, 0.62, 0.74),
    "brown": (0.48, 0.33, 0.22),
    "grey": (0.50, 0.50, 0.52),
    "white": (0.95, 0.95, 0.95),
    "black": (0.08, 0.08, 0.10),
}


@dataclass(frozen=True)
class Sky:
    """Colours at the zenith and at the horizon, how bright the ground is under it, its words."""

    words: tuple[str, ...]
    zenith: Colour
    horizon: Colour
    light: float
    tint: Colour = (1.0, 1.0, 1.0)


SKIES = (
    Sky(("under a blue sky", "on a sunny day"), (0.25, 0.55, 0.92), (0.75, 0.88, 0.98), 1.0),
    Sky(("under a cloudy sky", "with clouds"), (0.45, 0.62, 0.82), (0.85, 0.90, 0.94), 0.92),
    Sky(
        ("at sunset", "under a sunset sky"),
        (0.42, 0.32, 0.58),
        (1.0, 0.62, 0.32),
        0.75,
        (1.0, 0.85, 0.72),
    ),
    Sky(
        ("at night", "under a starry sky"),
        (0.03, 0.05, 0.16),
        (0.12, 0.18, 0.36),
        0.34,
        (0.75, 0.85, 1.1),
    ),
    Sky(("under a grey sky", "on a rainy day"), (0.52, 0.56, 0.60), (0.72, 0.75, 0.77), 0.72),
)


@dataclass(frozen=True)
class Canvas:
    """Where a scene is being painted: size, horizon (pixels from the top), its random numbers."""

    size: int
    horizon: int
    random: Random
    colour: str = ""
    """The colour of walls and plain grounds where it is asked for, a name of `PLAIN_COLOURS`."""

    def rows(self) -> Picture:
        """0 at the horizon to 1 at the bottom, [size - horizon, 1, 1]."""
        depth = np.linspace(0, 1, self.size - self.horizon, dtype=np.float32)
        return depth[:, None, None]


@dataclass(frozen=True)
class Scene:
    """RGB uint8 [S, S, 3], its caption, and the horizon as a share of the height."""

    pixels: NDArray[np.uint8]
    caption: str
    horizon: float


def smooth_noise(random: Random, height: int, width: int, cells: int) -> Picture:
    """Noise in [0, 1] whose blobs are a `cells`-th of the width, [height, width]."""
    rows = max(2, round(cells * height / width))
    small = Image.fromarray(random.random((rows + 1, cells + 1)).astype(np.float32))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)).clip(0, 1)


def _colour(values: Colour) -> Picture:
    return np.array(values, np.float32)


def paint_sky(canvas: Canvas, sky: Sky) -> Picture:
    """The whole canvas as sky: gradient, clouds, stars or a sun; RGB [S, S, 3]."""
    size, random = canvas.size, canvas.random
    share = (np.arange(size, dtype=np.float32) / max(canvas.horizon, 1)).clip(0, 1)[:, None, None]
    picture = _colour(sky.zenith) * (1 - share) + _colour(sky.horizon) * share
    picture = np.repeat(picture, size, axis=1)
    if sky.words[0] == "at night":
        for _ in range(int(random.integers(20, 60))):
            y, x = int(random.integers(0, max(canvas.horizon, 2))), int(random.integers(0, size))
            picture[y : y + 2, x : x + 2] = random.uniform(0.6, 1.0)
    elif sky.words[0] == "under a cloudy sky" or random.random() < 0.4:
        cloud = np.zeros((size, size), np.float32)
        for cells, weight in ((4, 0.45), (9, 0.3), (21, 0.17), (50, 0.08)):
            cloud += weight * smooth_noise(random, size * 3, size, cells)[::3]
        mask = ((cloud - 0.52) * 5).clip(0, 1)[..., None] ** 0.8 * (1 - 0.3 * share) * 0.9
        picture = picture * (1 - mask) + np.float32(0.97) * sky.light * mask
    elif sky.words[0] in ("at sunset", "under a blue sky") and random.random() < 0.5:
        disc = Image.new("L", (size, size))
        radius = int(size * random.uniform(0.05, 0.1))
        x, y = int(random.integers(0, size)), int(canvas.horizon * random.uniform(0.3, 0.95))
        ImageDraw.Draw(disc).ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        mask = np.asarray(disc.filter(ImageFilter.GaussianBlur(1)), np.float32)[..., None] / 255
        picture = picture * (1 - mask) + _colour((1.0, 0.93, 0.62)) * mask
    return picture


def _ridge(canvas: Canvas, base: float, height: float, cells: int) -> NDArray[np.bool_]:
    """Everything below a wavy line that rises `height` × size above `base` (pixels)."""
    line = base - smooth_noise(canvas.random, 2, canvas.size, cells)[0] * height * canvas.size
    return np.arange(canvas.size)[:, None] >= line[None, :]


def _ground(canvas: Canvas, near: Colour, far: Colour, grain: float, cells: int = 24) -> Picture:
    depth = canvas.rows()
    flat = _colour(far) * (1 - depth) + _colour(near) * depth
    texture = smooth_noise(canvas.random, len(depth), canvas.size, cells)[..., None] - 0.5
    return flat * (1 + grain * texture * (0.4 + depth))


def _hills(canvas: Canvas, picture: Picture) -> None:
    picture[canvas.horizon :] = _ground(canvas, (0.28, 0.55, 0.20), (0.45, 0.70, 0.32), 0.25)
    for share, colour in ((0.16, (0.50, 0.72, 0.42)), (0.09, (0.40, 0.66, 0.30))):
        mask = _ridge(canvas, canvas.horizon + 4, share, 5)
        mask[canvas.horizon + 4 :] = False
        picture[mask] = _colour(colour)


def _meadow(canvas: Canvas, picture: Picture) -> None:
    picture[canvas.horizon :] = _ground(canvas, (0.32, 0.62, 0.18), (0.55, 0.76, 0.36), 0.35, 60)
    for _ in range(int(canvas.random.integers(30, 90))):
        y = int(canvas.random.integers(canvas.horizon + 2, canvas.size))
        x = int(canvas.random.integers(0, canvas.size))
        side = 1 + 4 * (y - canvas.horizon) // max(1, canvas.size - canvas.horizon)
        choice = list(PLAIN_COLOURS.values())[int(canvas.random.choice([0, 2, 6, 9, 5]))]
        picture[y : y + side, x : x + side] = _colour(choice)


def _desert(canvas: Canvas, picture: Picture) -> None:
    picture[canvas.horizon :] = _ground(canvas, (0.86, 0.68, 0.42), (0.95, 0.82, 0.58), 0.18, 9)
    mask = _ridge(canvas, canvas.horizon + 3, 0.12, 3)
    mask[canvas.horizon + 3 :] = False
    picture[mask] = _colour((0.90, 0.74, 0.48))


def _snow(canvas: Canvas, picture: Picture) -> None:
    picture[canvas.horizon :] = _ground(canvas, (0.90, 0.93, 0.98), (0.97, 0.98, 1.0), 0.10, 10)
    _trees(canvas, picture, (0.18, 0.34, 0.28), 0.10, int(canvas.random.integers(2, 8)))


def _mountains(canvas: Canvas, picture: Picture) -> None:
    picture[canvas.horizon :] = _ground(canvas, (0.34, 0.52, 0.24), (0.48, 0.62, 0.36), 0.25)
    drawing = Image.new("L", (canvas.size, canvas.size))
    pen = ImageDraw.Draw(drawing)
    for _ in range(int(canvas.random.integers(3, 6))):
        x = float(canvas.random.uniform(0, canvas.size))
        rise = float(canvas.random.uniform(0.15, 0.38)) * canvas.size
        half, top = rise * float(canvas.random.uniform(0.8, 1.3)), canvas.horizon - rise
        pen.polygon([(x - half, canvas.horizon), (x, top), (x + half, canvas.horizon)], fill=140)
        snow = rise * 0.28
        pen.polygon(
            [(x - half * 0.28, top + snow), (x, top), (x + half * 0.28, top + snow)], fill=255
        )
    mask = np.asarray(drawing)
    picture[mask == 140] = _colour((0.42, 0.46, 0.56))
    picture[mask == 255] = _colour((0.94, 0.96, 0.98))


def _trees(canvas: Canvas, picture: Picture, colour: Colour, height: float, count: int) -> None:
    drawing = Image.new("L", (canvas.size, canvas.size))
    pen = ImageDraw.Draw(drawing)
    for _ in range(count):
        x = float(canvas.random.uniform(0, canvas.size))
        rise = canvas.size * height * float(canvas.random.uniform(0.7, 1.5))
        pen.polygon(
            [
                (x - rise * 0.35, canvas.horizon + 3),
                (x, canvas.horizon - rise),
                (x + rise * 0.35, canvas.horizon + 3),
            ],
            fill=255,
        )
    picture[np.asarray(drawing) > 0] = _colour(colour)


def _forest(canvas: Canvas, picture: Picture) -> None:
    picture[canvas.horizon :] = _ground(canvas, (0.30, 0.42, 0.18), (0.38, 0.50, 0.24), 0.35, 40)
    _trees(canvas, picture, (0.24, 0.44, 0.26), 0.26, 26)
    _trees(canvas, picture, (0.15, 0.34, 0.18), 0.18, 22)


def _beach(canvas: Canvas, picture: Picture) -> None:
    picture[canvas.horizon :] = _ground(canvas, (0.93, 0.82, 0.60), (0.96, 0.88, 0.70), 0.12, 30)
    shore = canvas.horizon + int((canvas.size - canvas.horizon) * canvas.random.uniform(0.2, 0.4))
    wave = (smooth_noise(canvas.random, 2, canvas.size, 6)[0] * 8).astype(int)
    rows = np.arange(canvas.size)[:, None]
    water = (rows >= canvas.horizon) & (rows < shore + wave[None, :])
    picture[water] = _colour((0.16, 0.56, 0.74))
    picture[(rows >= shore + wave[None, :]) & (rows < shore + wave[None, :] + 3)] = 0.97


def _sea(canvas: Canvas, picture: Picture) -> None:
    picture[canvas.horizon :] = _ground(canvas, (0.06, 0.34, 0.56), (0.24, 0.58, 0.76), 0.0)
    for _ in range(70):
        y = int(canvas.random.integers(canvas.horizon, canvas.size))
        x, length = (
            int(canvas.random.integers(4, canvas.size)),
            int(canvas.random.integers(6, 30)),
        )
        picture[y : y + 1 + (y - canvas.horizon) // 60, x : x + length] *= 1.18


def _city(canvas: Canvas, picture: Picture) -> None:
    picture[canvas.horizon :] = _ground(canvas, (0.36, 0.36, 0.38), (0.46, 0.46, 0.48), 0.10, 60)
    x = 0
    while x < canvas.size:
        width = int(canvas.random.integers(18, 46))
        top = canvas.horizon - int(canvas.random.uniform(0.12, 0.5) * canvas.size)
        shade = float(canvas.random.uniform(0.35, 0.7))
        tone = _colour((shade, shade * 0.95, shade * float(canvas.random.uniform(0.85, 1.1))))
        picture[max(top, 0) : canvas.horizon, x : x + width] = tone
        for row in range(max(top, 0) + 5, canvas.horizon - 6, 11):
            for column in range(x + 4, min(x + width - 5, canvas.size), 9):
                lit = canvas.random.random() < 0.55
                glass = (1.0, 0.92, 0.62) if lit else (0.30, 0.36, 0.44)
                picture[row : row + 6, column : column + 4] = _colour(glass)
        x += width + int(canvas.random.integers(0, 4))


GROUNDS: dict[str, tuple[tuple[str, ...], Callable[[Canvas, Picture], None]]] = {
    "hills": (("green hills", "rolling green hills"), _hills),
    "meadow": (("a meadow with flowers", "a green meadow", "a grass field"), _meadow),
    "desert": (("a sandy desert", "desert dunes"), _desert),
    "snow": (("a snowy field", "snow and fir trees"), _snow),
    "mountains": (("mountains", "snowy mountains"), _mountains),
    "forest": (("a forest", "a forest clearing"), _forest),
    "beach": (("a sandy beach", "a beach by the sea"), _beach),
    "sea": (("the open sea", "the ocean"), _sea),
    "city": (("a city street", "a city skyline"), _city),
}
