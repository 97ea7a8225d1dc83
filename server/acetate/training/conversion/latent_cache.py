"""Latents and text states, computed once and read from shards in every epoch after."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]  # Its paths.
from torch import Tensor
from torch.utils.data import Dataset

from acetate.training.collection.entries import (
    CollectionError,
    Entry,
    Pixels,
    Unusable,
    read_layer,
)
from acetate.training.collection.framing import as_tensor, fitted
from acetate.training.conversion.order import Order, chance
from acetate.training.loop import Report
from acetate.training.whole_files import text_written_whole, written_whole

SHARD = 256
"""Layers in a file."""
WORDLESS = 10
"""One sample in as many is learned without its words, so that guidance can leave them out."""

Encode = Callable[[Tensor], Tensor]
"""Straight layers [B, 4, S, S] to scaled latents [B, C, h, w]."""

Words = Callable[[str], tuple[Tensor, Tensor | None]]
"""A caption to its token states [T, D] and its pooled state [P]."""


class LatentCache(Dataset[dict[str, Tensor]]):
    """The samples of a folder of shards; each layer is there as it is and mirrored."""

    def __init__(self, folder: Path, keys: Sequence[str], seed: int, *, learning: bool) -> None:
        self._folder, self._keys, self._seed = folder, list(keys), seed
        self._learning = learning
        self._order = Order(len(self._keys), seed)
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        self._places: dict[str, tuple[int, int]] = {
            key: (place // SHARD, place % SHARD) for place, key in enumerate(index["keys"])
        }
        self._texts: dict[str, str] = index["texts"]
        self._captions = {text: place for place, text in enumerate(_captions(self._texts))}
        self._pooled: bool = index["pooled"]
        self._open = lru_cache(maxsize=16)(self._opened)

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        key = self._keys[self._order.index(number) if self._learning else number]
        told = not self._learning or kept_words(self._seed, number)
        mirrored = self._learning and mirrored_in(self._seed, number)
        return {
            "latent": self.latent(key, mirrored=mirrored),
            "number": torch.tensor(number),
            **self.words(self._texts[key] if told else ""),
        }

    def latent(self, key: str, *, mirrored: bool) -> Tensor:
        """The cached latent [C, h, w] of a layer, in fp32."""
        shard, row = self._places[key]
        file = self._open(f"latents-{shard:05}")
        return file.get_slice("mirrored" if mirrored else "plain")[row].float()

    def words(self, text: str) -> dict[str, Tensor]:
        """The states of a caption that was cached, the empty one among them."""
        place = self._captions[text]
        file = self._open(f"words-{place // SHARD:05}")
        names = ("tokens", "pooled") if self._pooled else ("tokens",)
        return {name: file.get_slice(name)[place % SHARD] for name in names}

    def _opened(self, name: str) -> Any:
        try:
            return cast("Any", safe_open)(self._folder / f"{name}.safetensors", framework="pt")
        except (OSError, SafetensorError) as error:
            raise CollectionError(
                f"The shard {name} in {self._folder} is damaged.",
                "Delete that folder: it is computed again.",
            ) from error


def mirrored_in(seed: int, number: int) -> bool:
    """Whether a sample is learned mirrored."""
    return float(torch.rand((), generator=chance(seed, number, "mirroring"))) < 0.5


def kept_words(seed: int, number: int) -> bool:
    """Whether a sample is learned with its words."""
    return float(torch.rand((), generator=chance(seed, number, "words"))) >= 1 / WORDLESS


def fill_cache(
    folder: Path,
    entries: Sequence[Entry],
    side: int,
    encode: Encode,
    words: Words,
    report: Report,
    share: tuple[int, int] = (0, 1),
    read: Callable[[Entry], Pixels] = read_layer,
) -> None:
    """Compute what is missing of a cache. `share` is the number of this process and their count:
    each takes shards of its own. `read` may raise Unusable.

    A run that was stopped goes on after the last whole shard. Raises CannotWrite.
    """
    texts = {entry.key: entry.caption for entry in entries}
    captions = _captions(texts)
    rank, processes = share

    def missing(kind: str, count: int) -> Iterator[tuple[Path, slice]]:
        for number in range(rank, -(-count // SHARD), processes):
            file = folder / f"{kind}-{number:05}.safetensors"
            if not file.is_file():
                yield file, slice(number * SHARD, (number + 1) * SHARD)

    empty, pooled = words("")
    for file, part in missing("words", len(captions)):
        found = [words(text) for text in captions[part]]
        # Of a long caption the first words count: those of a batch must be as many.
        tokens = torch.stack([_stored(each[: len(empty)]) for each, _ in found])
        state = {"tokens": tokens}
        if pooled is not None:
            state["pooled"] = torch.stack([_stored(each) for _, each in found if each is not None])
        written_whole(file, lambda to, state=state: save_file(state, to))
        report(f"words: {min(part.stop, len(captions))} of {len(captions)} captions")
    for file, part in missing("latents", len(entries)):
        latents = [_both(entry, side, encode, read) for entry in entries[part]]
        plain, mirrored = (torch.stack(each) for each in zip(*latents, strict=True))
        state = {"plain": plain, "mirrored": mirrored}
        written_whole(file, lambda to, state=state: save_file(state, to))
        report(f"latents: {min(part.stop, len(entries))} of {len(entries)} layers")
    if rank == 0:
        told = {"keys": list(texts), "texts": texts, "pooled": pooled is not None}
        text_written_whole(folder / "index.json", json.dumps(told))


def _captions(texts: Mapping[str, str]) -> list[str]:
    return sorted({"", *texts.values()})


def _both(
    entry: Entry, side: int, encode: Encode, read: Callable[[Entry], Pixels]
) -> tuple[Tensor, Tensor]:
    try:
        rgba = as_tensor(fitted(read(entry), side))[None]
    except Unusable as error:
        raise CollectionError(f"{entry.key} can no longer be read: {error}.") from error
    plain, mirrored = (encode(each)[0] for each in (rgba, rgba.flip(-1)))
    return _stored(plain), _stored(mirrored)


def _stored(value: Tensor) -> Tensor:
    """In 16 bits with the range of 32: latents and states are of any size."""
    return value.detach().to("cpu", torch.bfloat16).contiguous().clone()
