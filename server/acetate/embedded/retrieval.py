"""Which drawing a prompt is about: names first, the noun above its adjectives, then neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from acetate.embedded.drawings import Concept
from acetate.embedded.words import Said, plain_words

Vectors = Callable[[Sequence[str]], NDArray[np.float32]]
"""Word vectors of phrases, [N, D] of length 1 (0 for a phrase without known words)."""

CERTAIN = 1.0
"""From this score on a concept is named by the prompt, not only related to it."""
LEAST = 0.45
"""Below this score nothing in the memory helps."""


@dataclass(frozen=True)
class Match:
    """A concept and how well it fits: about 2 for its very name, 0 for nothing in common."""

    concept: int
    score: float
    names_colour: bool
    """Whether the drawing has the colour that was asked for by its own name (“green apple”)."""
    names: tuple[str, ...]
    """What the concept is called."""

    def named_by(self, prompt: str) -> bool:
        """Whether all of the prompt is one of the names, as in “bow and arrow”."""
        words = plain_words(prompt)
        return any(plain_words(name) == words for name in self.names)


class Retrieval:
    """Looks concepts up by words. `vectors` understands words that no name has."""

    def __init__(self, concepts: Sequence[Concept], vectors: Vectors) -> None:
        self._concepts = concepts
        self._vectors = vectors
        self._names = [[plain_words(name) for name in one.names] for one in concepts]
        self._tags = [
            {word for tag in one.tags for word in (plain_words(tag) or ("",))[-1:]}
            for one in concepts
        ]

    @cached_property
    def _name_vectors(self) -> NDArray[np.float32]:
        return self._vectors([" ".join(names[0]) for names in self._names])

    def best(self, said: Said, count: int = 8) -> list[Match]:
        """The best matches, best first; none where nothing scores `LEAST`."""
        if not said.thing:
            return []
        near = self._name_vectors @ self._vectors([" ".join(said.thing)])[0]
        noun = self._name_vectors @ self._vectors([said.thing[-1]])[0]
        scores = [
            self._score(index, said) + 0.35 * float(near[index]) + 0.25 * float(noun[index])
            for index in range(len(self._concepts))
        ]
        order = sorted(range(len(scores)), key=lambda index: -scores[index])[:count]
        return [
            Match(
                index, scores[index], self._names_colour(index, said), self._concepts[index].names
            )
            for index in order
            if scores[index] >= LEAST
        ]

    def _score(self, index: int, said: Said) -> float:
        spelt = self._concepts[index].names
        best = max(
            (
                _name_score(name, said)
                - 0.04 * min(rank, 4)
                + (0.25 if spelt[rank].endswith(said.noun) else 0.0)
                for rank, name in enumerate(self._names[index])
            ),
            default=0.0,
        )
        tags = self._tags[index]
        heard = 0.3 if said.thing[-1] in tags else 0.0
        heard += 0.08 * sum(word in tags for word in said.thing[:-1])
        return best + heard

    def _names_colour(self, index: int, said: Said) -> bool:
        if not said.colour:
            return False
        words = {said.colour_word, said.colour}
        return any(words & set(name) for name in self._names[index][:2])


def _name_score(name: tuple[str, ...], said: Said) -> float:
    """How well one name fits, from its words alone."""
    if not name:
        return 0.0
    thing, whole = said.thing, said.whole
    if name == whole:
        # Where more was said than a noun, this outdoes whoever is called by the noun alone.
        return 1.9 + 0.1 * len(name) + (0.7 if whole != said.phrase else 0.0)
    if name in (thing, said.phrase):
        return 1.6 + 0.1 * len(thing) + (0.25 if name != thing else 0.0)
    if "".join(name) == "".join(thing):
        return 1.55
    meant, known = set(thing), set(name)
    if known <= set(whole) and thing[-1] in known:
        return 1.1 + 0.15 * len(name)
    if known <= meant:  # the prompt's own noun is missing: “cat” for a “cat basket”
        return 0.55 + 0.05 * len(name)
    if name[-1] == thing[-1]:
        return 0.75 + 0.1 * len(meant & known) - 0.06 * len(known - meant)
    if thing[-1] in known:
        return 0.5 + 0.1 * len(meant & known) - 0.06 * len(known - meant)
    return 0.08 * len(known & set(whole))
