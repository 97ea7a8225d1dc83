"""Words that a person's files teach the text encoders (textual inversion, as EasyNegative).

Such a word is written in a prompt as its file is called, also as `embedding:NAME`. It stands for
one or more vectors, which take the places of a token's own in the encoder (Gal et al. 2022; file
layouts as in diffusers' `loaders/textual_inversion.py` and in kohya's and A1111's trainers).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from acetate.errors import BadRequest
from acetate.models.learned_vectors import vectors_in
from acetate.models.own_register import Own, own_file, own_files
from acetate.models.weights import read_weights

_FIRST = 2**24
"""Ids from here on are no words of a tokenizer."""


@dataclass(frozen=True)
class LearnedWord:
    """`spellings` are in lower case; `vectors` [N, width] one for each text encoder."""

    spellings: tuple[str, ...]
    path: Path
    sha256: str
    vectors: tuple[Tensor, ...]


def learned_words_in(prompts: Sequence[str], family: str) -> list[LearnedWord]:
    """The imported words that these prompts use. Raises ModelDamaged."""
    found: list[LearnedWord] = []
    for own in own_files("words", family):
        path = own_file(own.name)
        if path is not None and any(_pattern(_spellings(own)).search(text) for text in prompts):
            vectors = vectors_in(read_weights(path), family)
            found.append(LearnedWord(_spellings(own), path, own.sha256, vectors))
    return found


def _spellings(own: Own) -> tuple[str, ...]:
    names = (own.name.removesuffix(".safetensors"), Path(own.source).stem)
    return tuple(dict.fromkeys(name.lower() for name in names))


def _pattern(spellings: Sequence[str]) -> re.Pattern[str]:
    longest = sorted(spellings, key=len, reverse=True)
    names = "|".join(map(re.escape, longest))
    return re.compile(rf"(?<![\w-])(?:embedding:)?({names})(?![\w-])", re.IGNORECASE)


class Vocabulary:
    """The learned words of a prompt beside those of the tokenizers."""

    def __init__(self, words: Sequence[LearnedWord] = ()) -> None:
        self._words = list(words)

    def encode(self, tokenizer: Any, prompt: str) -> list[int]:
        """Ids of a prompt without the marks around it."""
        if not self._words:
            return tokenizer.encode(prompt, add_special_tokens=False)
        places: dict[str, range] = {}
        first = _FIRST
        for word in self._words:
            places |= dict.fromkeys(word.spellings, range(first, first + len(word.vectors[0])))
            first += len(word.vectors[0])
        ids: list[int] = []
        for index, piece in enumerate(_pattern(list(places)).split(prompt)):
            if index % 2:
                ids += places[piece.lower()]
            elif piece.strip():
                ids += tokenizer.encode(piece, add_special_tokens=False)
        return ids

    @contextmanager
    def taught(self, encoder: Any, which: int, ids: Tensor) -> Generator[Tensor]:
        """Ids that the encoder can read; for the block it knows the vectors that stand there.

        `which` counts the family's encoders. Raises BadRequest for vectors of another width.
        """
        learned = ids >= _FIRST
        if not bool(learned.any()):
            yield ids
            return
        embedding = encoder.get_input_embeddings()
        table = torch.cat([word.vectors[which] for word in self._words])
        if table.shape[1] != embedding.weight.shape[1]:
            raise BadRequest(
                f"The learned word “{self._words[0].spellings[0]}” has {table.shape[1]} numbers, "
                f"but this model's text encoder reads {embedding.weight.shape[1]}."
            )

        def replace(module: Any, given: Any, states: Tensor) -> Tensor:
            mask = learned.to(states.device)
            chosen = table.to(states)[(ids[learned] - _FIRST).to(states.device)]
            states = states.clone()
            states[mask] = chosen
            return states

        handle = embedding.register_forward_hook(replace)
        try:
            yield ids.masked_fill(learned, 0)
        finally:
            handle.remove()
