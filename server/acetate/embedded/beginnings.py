"""Where a painting begins: what the prompt recalls, and what the pictures at hand say already."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from acetate.embedded.backdrops import Backdrops, Ground
from acetate.embedded.codec import Codec
from acetate.embedded.drawings import Drawings
from acetate.embedded.filling import cleared, hole_of, put_in
from acetate.embedded.memory import Memory
from acetate.embedded.retrieval import Vectors
from acetate.embedded.starts import (
    filled_in,
    in_words,
    lifted,
    split,
    uncovered,
)
from acetate.embedded.words import LATER_COLOURS, take_apart

START = 0.42
"""How far what the memory recalls is noised before it is painted anew: less and less of it is
painted, more and its edges melt."""
START_AFAR = 0.6
"""The same where the memory has only a relative of what was asked for."""
START_SCENE = 0.5
"""The same for scenes and sketches."""
START_KNOWN = 0.4
"""The same where what is to be painted follows from the pictures at hand."""
FROM_REFERENCE = 0.4
"""How much of a painter's reference stays at a strength of 1; it is noised by the rest."""
FARTHEST = 0.8
"""The farthest that a layer is repainted: from more noise this small model finds no shape."""
UNTOUCHED, FULLY_COLOURED = 0.05, 0.35
"""Between these strengths a repainted layer takes on the colour that its prompt names."""
LEAST_THING = 0.02
"""The smallest share of a picture that is taken for a thing in front of its background."""
ATTRIBUTES = "memory/attributes"
"""Named among a recipe's files where its words were not followed by earlier versions, so that
their recipes of the same words are told that they cannot be painted again."""
ATTRIBUTES_HASH = hashlib.sha256(b"copper bronze iron stone rusty large pattern glass").hexdigest()
RECALLING = ("text", "foreground", "control")
"""Tasks that a drawing is recalled for."""

Beginning = tuple[Tensor | None, float]
"""A latent to begin from, None for pure noise, and how far it is noised (0 to 1)."""


@dataclass(frozen=True)
class Asked:
    """A task, whether its thing stands on a ground, and the picture's size (halved, in pixels)."""

    task: str
    onto: bool
    height: int
    width: int


class Beginnings:
    """Finds and makes the pictures that paintings begin from, and encodes them.

    `use` is told the name and the SHA-256 of every drawing that is taken.
    """

    def __init__(
        self,
        codec: Codec,
        drawings: Drawings,
        vectors: Vectors,
        use: Callable[[str, str], None],
    ) -> None:
        self._codec = codec
        self._drawings = drawings
        self._memory = Memory(drawings, vectors)
        self._backdrops = Backdrops(vectors)
        self._use = use

    def of(
        self, asked: Asked, prompts: Sequence[str], seeds: Sequence[int], known: Sequence[Tensor]
    ) -> Beginning:
        """For each prompt and seed; from noise where nothing is known of one of them.

        `known` are the pictures that are given, [1 or B, 3 or 4, h, w] in [0, 1] at half size.
        """
        begun = [
            self._of_one(
                asked, prompt, seed, [one[min(place, len(one) - 1), None] for one in known]
            )
            for place, (prompt, seed) in enumerate(zip(prompts, seeds, strict=True))
        ]
        latents = [latent for latent, _ in begun if latent is not None]
        if len(latents) < len(begun):
            return None, 1.0
        return torch.cat(latents), max(strength for _, strength in begun)

    def by(self, picture: Tensor, prompt: str, strength: float) -> Beginning:
        """From a painter's reference, straight RGBA [1, 4, h, w] at half size.

        It takes on the colour that the prompt names. Of an opaque picture only what stands in
        front of a plain background counts, if there is such a thing.
        """
        if bool((picture[:, 3] == 1).all()):
            thing = split(picture[:, :3])
            picture = thing if thing[:, 3].mean() > LEAST_THING else picture
        coloured = self._in_words(picture, prompt)
        latent = self._codec.encode_small(picture if coloured is None else coloured)
        return latent, min(FARTHEST, 1 - FROM_REFERENCE * min(2.0, strength))

    def again(self, prompt: str, pixels: Tensor, strength: float) -> Tensor | None:
        """What a layer or picture is repainted from, where that is not simply itself.

        It takes on the colour that the prompt names, the more the greater the strength.
        """
        share = min(1.0, max(0.0, strength - UNTOUCHED) / (FULLY_COLOURED - UNTOUCHED))
        changed = self._in_words(pixels, prompt) if share > 0 else None
        if changed is None:
            return None
        return self._codec.encode_small(pixels + (changed - pixels) * share)

    def filled(
        self, prompt: str, seed: int, layer: Tensor, continued: Tensor, free: Tensor
    ) -> tuple[Tensor, Tensor] | None:
        """What a selection is filled from, at full size, and where in it that is painted anew.

        The thing that the prompt names, put into the selection; None where the memory has no such
        thing or the selection is too small.
        """
        place = hole_of(free)
        if place is None:
            return None
        height, width = (side.stop - side.start for side in place)
        found = self._recalled(prompt, seed, height, width, onto=False)
        if found is None or not found[1]:
            return None
        return put_in(cleared(layer, continued, free), found[0], free, place)

    def _of_one(self, asked: Asked, prompt: str, seed: int, known: Sequence[Tensor]) -> Beginning:
        height, width = asked.height, asked.width
        if asked.task == "background":
            ground = Ground.under(known[0][0, 3].numpy())
            scene = self._backdrops.paint(prompt, seed, max(height, width), ground)
            rgb = torch.as_tensor(scene).permute(2, 0, 1)[None, :, :height, :width]
            return self._codec.encode_small_picture(rgb), START_SCENE
        if asked.task == "behind":
            rgb = uncovered(known[1][:, :3], known[0])
            return self._codec.encode_small_picture(rgb), START_KNOWN
        if asked.task == "extract":
            picture = known[-1][:, :3]
            rgba = split(picture) if len(known) == 1 else lifted(picture, known[0][:, :3])
            return self._codec.encode_small(rgba), START_KNOWN
        found = self._recalled(prompt, seed, height, width, asked.onto)
        if found is None:
            return None, 1.0
        rgba, sure = found
        if asked.task == "control":
            return self._codec.encode_small(filled_in(known[0][:, :3], rgba)), START_SCENE
        return self._codec.encode_small(rgba), START if sure else START_AFAR

    def _in_words(self, pixels: Tensor, prompt: str) -> Tensor | None:
        """See `in_words`."""
        changed = in_words(pixels, prompt)
        if changed is not None and take_apart(prompt).colour in LATER_COLOURS:
            self._use(ATTRIBUTES, ATTRIBUTES_HASH)
        return changed

    def _recalled(
        self, prompt: str, seed: int, height: int, width: int, onto: bool
    ) -> tuple[Tensor, bool] | None:
        """What the prompt recalls, RGBA [1, 4, h, w], and whether that is what it names."""
        found = self._memory.recall(prompt, seed, height, width, onto=onto)
        if found is None:
            return None
        for drawing in found.drawings:
            self._use(f"memory/{drawing.name}", self._drawings.hash(drawing))
        if found.followed_later:
            self._use(ATTRIBUTES, ATTRIBUTES_HASH)
        return torch.as_tensor(found.pixels).permute(2, 0, 1)[None].float() / 255, found.certain
