"""From a prompt to the picture that a painting begins from: found, coloured and put in place."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from acetate.embedded.drawings import Drawing, Drawings
from acetate.embedded.patterns import glassy, patterned
from acetate.embedded.recolour import PAINTS, aged, recolour
from acetate.embedded.retrieval import CERTAIN, Match, Retrieval, Vectors
from acetate.embedded.words import Said, plain_words, take_apart

Pixels = NDArray[np.uint8]

ALIKE = 0.06
"""Concepts whose score is that near to the best are as good as it."""
NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_NUMBER = rf"\b({'|'.join(NUMBERS)})\b"
STYLE_SHARES = {
    "fluent-3d": 4.0,
    "fluent-color": 3.0,
    "noto": 4.0,
    "noto-v1": 1.5,
    "fxemoji": 1.0,
    "openclipart": 2.5,
    "acetate": 4.0,
}
"""How often a seed falls on each style, the clearest more often."""
MANNER_STYLES = {
    "3d": "fluent-3d",
    "glossy": "fluent-color",
    "drawn": "noto",
    "blob": "noto-v1",
    "fox": "fxemoji",
}


@dataclass(frozen=True)
class Recalled:
    """What a prompt recalls: the picture, straight RGBA uint8 [H, W, 4], and whose it is.

    `certain` says whether the prompt names the thing, or the memory has only a relative of it;
    `followed_later` whether an earlier version would not have followed all of these words.
    """

    pixels: Pixels
    drawings: tuple[Drawing, ...]
    certain: bool
    followed_later: bool


class Memory:
    """The drawings, and the words that find them."""

    def __init__(self, drawings: Drawings, vectors: Vectors) -> None:
        self.drawings = drawings
        self._vectors = vectors
        self._retrieval: Retrieval | None = None

    def recall(
        self, prompt: str, seed: int, height: int, width: int, *, onto: bool = False
    ) -> Recalled | None:
        """The picture to begin from in a frame of this size; None where nothing fits.

        The same seed recalls the same. With `onto` the thing stands on the ground of a picture
        instead of filling the frame.
        """
        random = np.random.default_rng(seed)
        things = self._things(prompt)
        if not things:
            return None
        frame = Image.new("RGBa", (width, height))
        chosen: list[Drawing] = []
        boxes = _boxes(len(things), width, height, random, onto)
        for (said, matches), (left, top, side) in zip(things, boxes, strict=True):
            drawing = self._choose(said, matches, random)
            coloured = self._coloured(self.drawings.read(drawing), said, matches, drawing)
            if said.small:
                left, top, side = left + side // 4, top + side // 4, side // 2
            if said.large:
                coloured = _filling(coloured)
            _paste(frame, coloured, left, top, side, random)
            chosen.append(drawing)
        certain = all(matches[0].score >= CERTAIN for _, matches in things)
        later = any(said.followed_later for said, _ in things)
        return Recalled(np.array(frame.convert("RGBA")), tuple(chosen), certain, later)

    def _things(self, prompt: str) -> list[tuple[Said, list[Match]]]:
        """What is to be seen, each with the concepts that fit: one thing, several, or two kinds."""
        if self._retrieval is None:
            self._retrieval = Retrieval(self.drawings.concepts, self._vectors)
        best = self._retrieval.best
        said = take_apart(prompt)
        whole = best(said)
        first, found, second = prompt.partition(" and ")
        if found and not (whole and whole[0].named_by(prompt)):
            pair = [(one, best(one)) for one in (take_apart(first), take_apart(second))]
            if all(matches and matches[0].score >= CERTAIN for _, matches in pair):
                return pair
        count = next((NUMBERS.get(word, 1) for word in said.thing[:-1]), 1)
        if count > 1:
            one = take_apart(re.sub(_NUMBER, "", prompt.lower(), count=1))
            matches = best(one)
            return [(one, matches) for _ in range(count)] if matches else []
        return [(said, whole)] if whole else []

    def _choose(self, said: Said, matches: list[Match], random: np.random.Generator) -> Drawing:
        candidates = [
            drawing
            for match in matches
            if match.score >= matches[0].score - ALIKE
            for drawing in self.drawings.of(match.concept)
        ]
        wanted = [one for one in candidates if one.style == MANNER_STYLES.get(said.style)]
        candidates = wanted or candidates
        shares = np.array([STYLE_SHARES.get(one.style, 1.0) for one in candidates])
        return candidates[int(random.choice(len(candidates), p=shares / shares.sum()))]

    def _coloured(
        self, pixels: Pixels, said: Said, matches: list[Match], drawing: Drawing
    ) -> Pixels:
        named = any(match.names_colour for match in matches if match.concept == drawing.concept)
        if said.colour in PAINTS and not named:
            painted = recolour(pixels, said.colour)
            pixels = pixels if painted is None else painted
        pixels = aged(pixels) if said.aged else pixels
        names = {word for name in _names_of(matches, drawing) for word in plain_words(name)}
        if said.pattern and said.pattern_word not in names:
            pixels = patterned(pixels, said.pattern)
        if said.glass and said.glass not in names:
            pixels = glassy(pixels, bool(said.colour))
        return pixels


def _names_of(matches: list[Match], drawing: Drawing) -> tuple[str, ...]:
    """The two names that a drawing goes by first."""
    return next(match.names[:2] for match in matches if match.concept == drawing.concept)


def _filling(pixels: Pixels) -> Pixels:
    """A square drawing without the margin around its thing."""
    seen = pixels[..., 3] > 0
    if not seen.any():
        return pixels
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    height, width = rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
    side = int(max(height, width))
    square = np.zeros((side, side, 4), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = pixels[
        rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1
    ]
    return square


def _boxes(
    count: int, width: int, height: int, random: np.random.Generator, onto: bool
) -> list[tuple[int, int, int]]:
    """Left, top and side of a square for each of the things."""
    side = min(width, height)
    if onto:
        side = int(side * random.uniform(0.5, 0.62))
        room = width - side
        left = int(room * random.uniform(0.25, 0.75))
        return _row(count, left, int((height - side) * random.uniform(0.8, 0.95)), side)
    if count == 1:
        return [((width - side) // 2, (height - side) // 2, side)]
    return _row(count, (width - side) // 2, (height - side) // 2, side)


def _row(count: int, left: int, top: int, side: int) -> list[tuple[int, int, int]]:
    """Squares within a square: beside each other, in two rows from four things on."""
    if count == 1:
        return [(left, top, side)]
    columns = count if count < 4 else (count + 1) // 2
    rows = 1 if count < 4 else 2
    small = side // max(columns, rows)
    start = top + (side - rows * small) // 2
    return [
        (left + number % columns * small, start + number // columns * small, small)
        for number in range(count)
    ]


def _paste(
    frame: Image.Image,
    pixels: Pixels,
    left: int,
    top: int,
    side: int,
    random: np.random.Generator,
) -> None:
    """Put a square drawing into the frame, a little smaller and turned as the seed wants it."""
    within = max(1, int(side * random.uniform(0.9, 1.0)))
    angle = float(random.normal(0, 2))
    picture = Image.fromarray(pixels).convert("RGBa")
    picture = picture.resize((within, within), Image.Resampling.LANCZOS)
    picture = picture.rotate(angle, Image.Resampling.BICUBIC)
    spare = (side - within) // 2
    frame.paste(picture, (left + spare, top + spare))
