"""Prompts as a CLIP text encoder reads them: chunks of tokens, each with what it weighs.

A weight moves the states of a token away from those of an empty prompt, or towards them:
empty + weight × (states - empty). This is how compel and ComfyUI weigh words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from transformers.models.clip.tokenization_clip import CLIPTokenizer

from acetate.pipelines.conditioning import PromptEmbedding
from acetate.pipelines.learned_words import Vocabulary
from acetate_bridge.protocol.prompt_syntax import turns, weighed

Embed = Callable[[Sequence[str], Sequence[str]], PromptEmbedding]

CHUNK = 75
"""Words of a prompt that go through the text encoder at once, between its two marks."""


@dataclass(frozen=True)
class Tokens:
    """Ids [B, chunks, 77] of each prompt, as many chunks for all, and weights where any differ."""

    ids: Tensor
    weights: Tensor | None
    empty: Tensor
    """Ids [1, 77] of an empty prompt."""

    @property
    def flat(self) -> Tensor:
        """All chunks below each other [N, 77], last the empty one where weights ask for it."""
        flat = self.ids.reshape(-1, self.ids.shape[-1])
        return flat if self.weights is None else torch.cat([flat, self.empty])

    def weighted(self, states: Tensor) -> Tensor:
        """The states [N, 77, D] of `flat`, weighted: those of the prompts [B, chunks × 77, D]."""
        if self.weights is not None:
            states, empty = states[:-1], states[-1:]
            weights = self.weights.reshape(-1, self.weights.shape[-1], 1).to(states)
            # What weighs 1 stays as it is, to the last bit.
            states = torch.where(weights == 1, states, empty + weights * (states - empty))
        return states.reshape(self.ids.shape[0], -1, states.shape[-1])

    def first(self, pooled: Tensor) -> Tensor:
        """Of the pooled states [N, P] of `flat`, that of each prompt's first chunk [B, P]."""
        if self.weights is not None:
            pooled = pooled[:-1]
        return pooled.reshape(*self.ids.shape[:2], -1)[:, 0]


def tokens_of(
    tokenizer: CLIPTokenizer,
    prompts: Sequence[str],
    vocabulary: Vocabulary = Vocabulary(),  # noqa: B008 - never changed
) -> Tokens:
    """Prompts with their signs read; a learned word weighs as much as the words around it."""
    read = [_read(tokenizer, prompt, vocabulary) for prompt in prompts]
    chunks = max(1, *(-(-len(ids) // CHUNK) for ids, _ in read))
    starts = range(0, chunks * CHUNK, CHUNK)
    empty = torch.tensor([chunk_of(tokenizer, [])])
    found = torch.tensor(
        [[chunk_of(tokenizer, ids[at : at + CHUNK]) for at in starts] for ids, _ in read]
    )
    if all(weight == 1 for _, weights in read for weight in weights):
        return Tokens(found, None, empty)
    weights = torch.ones(found.shape)
    for row, (_, own) in enumerate(read):
        for place, weight in enumerate(own):
            weights[row, place // CHUNK, 1 + place % CHUNK] = weight
    return Tokens(found, weights, empty)


def _read(
    tokenizer: CLIPTokenizer, prompt: str, vocabulary: Vocabulary
) -> tuple[list[int], list[float]]:
    ids: list[int] = []
    weights: list[float] = []
    for words in weighed(prompt):
        found = vocabulary.encode(tokenizer, words.text)
        ids += found
        weights += [words.weight] * len(found)
    return ids, weights


def chunk_of(tokenizer: CLIPTokenizer, ids: list[int]) -> list[int]:
    """Up to 75 ids between the marks, filled up to 77."""
    begin, end, blank = (
        int(getattr(tokenizer, f"{name}_token_id"))  # annotated as nearly anything
        for name in ("bos", "eos", "pad")
    )
    return [begin, *ids, end, *[blank] * (CHUNK - len(ids))]


def in_turns(
    prompts: Sequence[str], negative_prompts: Sequence[str], embed: Embed
) -> PromptEmbedding:
    """The embedded prompts; those that change from step to step as turns."""
    said = [turns(text) for text in (*prompts, *negative_prompts)]
    count = len(prompts)

    def turn(index: int) -> PromptEmbedding:
        now = [each[index % len(each)] for each in said]
        return embed(now[:count], now[count:])

    first, *others = map(turn, range(max(map(len, said), default=1)))
    return replace(first, turns=tuple(others)) if others else first
