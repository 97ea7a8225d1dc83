"""Whether colours that are asked for are painted: the mean hue of what can be seen, by no eye."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from acetate.embedded.recolour import PAINTS
from acetate.pipelines.pipeline import Pipeline

from .samples import paint_layer

COLOURED = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "turquoise")
WHEEL = tuple(colour for colour in COLOURED if colour != "brown")
"""Colours with hues of their own: brown is a dark orange."""
HUELESS = ("black", "white", "grey")
THINGS = ("car", "umbrella", "cat", "chair", "flower", "hat", "bird", "cup", "butterfly", "vase")
FARTHEST = 30.0
"""Degrees that the mean hue may lie from the hue of the word; no other word's may be nearer."""
GREYEST = 0.25
"""The mean saturation that something without a hue may have."""
PALEST = 0.08
"""The mean chroma that something with a hue must have."""
DARK, LIGHT = 0.42, 0.72
"""Mean brightness: black lies below, white above, grey between."""


@dataclass(frozen=True)
class Hues:
    """How many of the prompts got their colour, and which did not."""

    prompts: int
    followed: int
    share: float
    missed: tuple[str, ...]


def measure_hues(pipeline: Pipeline, count: int) -> Hues:
    """Paint `count` things in colours, every colour with other things in turn."""
    asked: list[tuple[str, str]] = []
    colours = (*COLOURED, *HUELESS)
    for number in range(count):
        colour = colours[number % len(colours)]
        asked.append((colour, THINGS[(number + number // len(colours)) % len(THINGS)]))
    missed = [
        f"{colour} {thing}"
        for seed, (colour, thing) in enumerate(asked)
        if not has_colour(paint_layer(pipeline, f"a {colour} {thing}", seed), colour)
    ]
    followed = count - len(missed)
    return Hues(count, followed, followed / count, tuple(missed))


def has_colour(rgba: Tensor, colour: str) -> bool:
    """Whether a layer [1, 4, H, W] has a colour by the mean of its pixels.

    Pixels count by their alpha, for the hue also by how colourful they are.
    """
    weight = rgba[0, 3] / rgba[0, 3].sum().clamp_min(1e-6)
    high, low = rgba[0, :3].amax(0), rgba[0, :3].amin(0)
    chroma = high - low
    brightness = float((high * weight).sum())
    saturation = float((chroma / high.clamp_min(1e-3) * weight).sum())
    if colour in HUELESS:
        fits = {"black": brightness < DARK, "white": brightness > LIGHT}
        within = fits.get(colour, DARK <= brightness <= LIGHT)
        return within and saturation < GREYEST
    if float((chroma * weight).sum()) < PALEST:
        return False
    hue = mean_hue(rgba)
    nearest = min(WHEEL, key=lambda name: _away(hue, name))
    if colour == "brown":
        return nearest == "orange" and brightness < LIGHT
    return nearest == colour and _away(hue, colour) <= FARTHEST


def _away(hue: float, colour: str) -> float:
    return abs((hue - PAINTS[colour][0] + 180) % 360 - 180)


def mean_hue(rgba: Tensor) -> float:
    """The mean direction on the wheel of colours, in degrees; pixels weigh chroma times alpha."""
    red, green, blue = rgba[0, :3]
    # Chroma as a vector: its length is the colourfulness of the pixel, its direction the hue.
    along = red - (green + blue) / 2
    across = (green - blue) * math.sqrt(3) / 2
    alpha = rgba[0, 3]
    x, y = float((along * alpha).sum()), float((across * alpha).sum())
    return math.degrees(math.atan2(y, x)) % 360
