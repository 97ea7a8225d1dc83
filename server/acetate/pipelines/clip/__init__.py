"""CLIP's own tokenizer, for checkpoints that hold weights and nothing else."""

from __future__ import annotations

import gzip
from importlib.resources import files
from typing import Any

from tokenizers.pre_tokenizers import ByteLevel
from transformers.models.clip.tokenization_clip import CLIPTokenizer

_BEGIN, _END = "<|startoftext|>", "<|endoftext|>"


def clip_tokenizer(pad: str = _END) -> CLIPTokenizer:
    """The tokenizer that every CLIP text encoder was trained with, from the packaged merges."""
    packed = files(__name__).joinpath("merges.txt.gz").read_bytes()
    # Annotated more narrowly than the pairs that it takes.
    merges: Any = [tuple(line.split()) for line in gzip.decompress(packed).decode().splitlines()]
    letters = sorted(ByteLevel.alphabet())
    words = [*letters, *(f"{letter}</w>" for letter in letters)]
    words += ["".join(merge) for merge in merges] + [_BEGIN, _END]
    vocabulary = {word: index for index, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, pad_token=pad)
