"""The scene that a background begins from: painted by rule, for a prompt and around a layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from acetate.embedded.interiors import INTERIORS, WEIGHTLESS
from acetate.embedded.retrieval import Vectors
from acetate.embedded.scenes import GROUNDS, PLAIN_COLOURS, SKIES, Canvas, Picture, paint_sky
from acetate.embedded.words import plain_words

SHADOW = 0.45
"""How much darker the ground is under what stands on it."""
FINER = 2
"""Scenes are painted that much larger and reduced, so that their edges are smooth."""

_INSIDE = (
    "room indoors wall floor living bedroom office studio interior house home window",
    "wooden table desk kitchen table",
    "kitchen tiles tiled floor bathroom",
    "plain background solid colour backdrop",
    "under water underwater sea bottom ocean floor aquarium bubbles",
    "outer space stars galaxy universe nebula cosmos planet",
)
"""What people call each of `INTERIORS`."""
_OUTSIDE = {
    "hills": "green hills countryside landscape nature country",
    "meadow": "meadow flowers grass field garden park lawn spring",
    "desert": "sandy desert dunes sand",
    "snow": "snow snowy winter ice field arctic fir",
    "mountains": "mountains mountain peaks alps rocks",
    "forest": "forest wood trees jungle clearing autumn",
    "beach": "beach sandy sea shore coast island tropical summer",
    "sea": "open sea ocean water lake waves river",
    "city": "city street skyline town buildings road urban",
}
_SKY_WORDS = (
    "blue sky sunny day clear",
    "cloudy clouds",
    "sunset sunrise evening dawn dusk",
    "night starry moon dark midnight",
    "grey rainy rain storm fog foggy",
)


@dataclass(frozen=True)
class Ground:
    """Where a layer stands: its foot (rows from the top), and the columns that it spans."""

    foot: int
    left: int
    right: int

    @staticmethod
    def under(alpha: NDArray[np.floating]) -> Ground | None:
        """The place of what is solid in [H, W]; None where nothing is."""
        solid = alpha > 0.5
        rows = np.flatnonzero(solid.any(1))
        if len(rows) == 0:
            return None
        foot = int(rows[-1])
        low = solid[max(0, foot - len(alpha) // 8) : foot + 1].any(0)
        columns = np.flatnonzero(low)
        return Ground(foot, int(columns[0]), int(columns[-1]))


class Backdrops:
    """Paints scenes for prompts."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def paint(self, prompt: str, seed: int, size: int, ground: Ground | None) -> Picture:
        """RGB float32 [size, size, 3] in [0, 1]; the horizon lies above where the layer stands."""
        random = np.random.default_rng(seed)
        place = self._nearest(prompt, [*_OUTSIDE.values(), *_INSIDE])
        large = size * FINER
        foot = large * 0.8 if ground is None else ground.foot * FINER
        above = max(6.0, random.uniform(0.08, 0.24) * large)
        horizon = int(np.clip(foot - above, large * 0.28, large * 0.86))
        words = set(plain_words(prompt))
        colour = next((name for name in PLAIN_COLOURS if name in words), "")
        canvas = Canvas(large, horizon, random, colour)
        if place >= len(_OUTSIDE):
            picture, caption = INTERIORS[place - len(_OUTSIDE)](canvas)
        else:
            picture, caption = self._outside(canvas, list(_OUTSIDE)[place], prompt), ""
        if ground is not None and caption not in WEIGHTLESS:
            cast_shadow(picture, scaled(ground, FINER), horizon)
        small = Image.fromarray((picture.clip(0, 1) * 255 + 0.5).astype(np.uint8))
        reduced = small.resize((size, size), Image.Resampling.BOX)
        return np.asarray(reduced, np.float32) / 255

    def _outside(self, canvas: Canvas, kind: str, prompt: str) -> Picture:
        words = set(plain_words(prompt))
        heard = [len(words & set(plain_words(sky))) for sky in _SKY_WORDS]
        usual = int(canvas.random.choice([0, 0, 1]))
        sky = SKIES[int(np.argmax(heard)) if any(heard) else usual]
        picture = paint_sky(canvas, sky)
        behind = picture.copy()
        GROUNDS[kind][1](canvas, picture)
        drawn = (picture != behind).any(-1, keepdims=True)
        return np.where(drawn, picture * sky.light * np.array(sky.tint, np.float32), picture)

    def _nearest(self, prompt: str, places: list[str]) -> int:
        """The place that shares words with the prompt, or else means something like it."""
        words = plain_words(prompt)
        rows = [plain_words(place) for place in places]
        own, *others = self._vectors([prompt, *places])
        shared = np.array([sum(word in row for word in words) for row in rows], np.float32)
        return int(np.argmax(shared + np.stack(others) @ own))


def scaled(ground: Ground, by: int) -> Ground:
    """The same place in a picture that is so many times as large."""
    return Ground(ground.foot * by, ground.left * by, ground.right * by)


def cast_shadow(picture: Picture, ground: Ground, horizon: int) -> None:
    """Darken the ground [S, S, 3] in an ellipse under the lowest part of what stands on it."""
    size = len(picture)
    centre = (ground.left + ground.right) / 2
    half = max(6.0, (ground.right - ground.left) / 2 * 1.1)
    y, x = np.mgrid[0:size, 0:size]
    distance = ((x - centre) / half) ** 2 + ((y - ground.foot + 2) / (half * 0.28)) ** 2
    shadow = Image.fromarray(((distance < 1) * 255).astype(np.uint8))
    soft = np.asarray(shadow.filter(ImageFilter.GaussianBlur(size / 64)), np.float32) / 255
    soft[:horizon] = 0
    picture *= 1 - SHADOW * soft[..., None]
