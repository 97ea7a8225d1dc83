"""Layers as a stage learns them: cut at random, with the transparency that drawings lack."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import overload

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from acetate.training.batches import vary_transparency
from acetate.training.collection.entries import (
    Collection,
    CollectionError,
    Entry,
    Pixels,
    Unusable,
    read_layer,
)
from acetate.training.collection.framing import as_tensor, cut, fitted
from acetate.training.conversion.order import Order
from acetate.training.whole_files import text_written_whole

HELD_OUT_SHARE = 0.05
MOST_HELD_OUT = 64
_FEWEST = 8
"""Layers of which one can be spared to validate with."""


class Readable(Sequence[Pixels]):
    """The pixels of entries; in place of one that is gone, those of the next that can be read."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> Pixels: ...
    @overload
    def __getitem__(self, index: slice) -> list[Pixels]: ...
    def __getitem__(self, index: int | slice) -> Pixels | list[Pixels]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        for shift in range(len(self)):
            try:
                return read_layer(self._entries[(index + shift) % len(self)])
            except Unusable:
                continue
        raise CollectionError("None of the layers can be read any longer.")


class Cuts(Dataset[dict[str, Tensor]]):
    """The sample of any number: `rgba` straight [4, S, S] in [0, 1], and its `number`."""

    def __init__(self, layers: Sequence[Pixels], side: int, seed: int) -> None:
        self._layers, self._side, self._seed = layers, side, seed
        self._order = Order(len(layers), seed)

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        random = np.random.default_rng((self._seed, number))
        pixels = cut(self._layers[self._order.index(number)], self._side, random)
        rgba = vary_transparency(as_tensor(pixels)[None], number, self._seed)[0]
        return {"rgba": rgba, "number": torch.tensor(number)}


class Whole(Dataset[dict[str, Tensor]]):
    """Whole layers as they are, one after the other."""

    def __init__(self, layers: Sequence[Pixels], side: int) -> None:
        self._layers, self._side = layers, side

    def __len__(self) -> int:
        return len(self._layers)

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        rgba = as_tensor(fitted(self._layers[number], self._side))
        return {"rgba": rgba, "number": torch.tensor(number)}

    def together(self) -> Tensor:
        """All of them, [N, 4, S, S]."""
        return torch.stack([self[number]["rgba"] for number in range(len(self))])


def usable(collection: Collection, report: Callable[[str], None]) -> list[Entry]:
    """The entries that are layers; what is left out is counted and told.

    Raises CollectionError where none is.
    """

    def fault(entry: Entry) -> str:
        try:
            read_layer(entry)
        except Unusable as error:
            return error.kind
        return ""

    with ThreadPoolExecutor() as pool:
        faults = list(pool.map(fault, collection.entries))
    kept = [each for each, found in zip(collection.entries, faults, strict=True) if not found]
    counted = collection.faults + Counter(found for found in faults if found)
    left_out = ", ".join(f"{count} {reason}" for reason, count in sorted(counted.items()))
    if not kept:
        raise CollectionError(
            f"None of the {len(faults)} pictures is a layer: {left_out}.",
            "Look at each with `acetate train inspect`.",
        )
    layers = "1 layer" if len(kept) == 1 else f"{len(kept)} layers"
    report(f"{layers} to learn from" + (f"; left out: {left_out}" if left_out else ""))
    if len(kept) == 1:
        report("One layer is learned by heart: what it teaches holds for nothing else.")
    return kept


def split(entries: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Layers to learn from, and some to validate with that nothing is learned from."""
    if len(entries) < _FEWEST:
        return list(entries), []
    chance = sorted(entries, key=lambda entry: hashlib.sha256(entry.key.encode()).digest())
    count = min(MOST_HELD_OUT, max(1, round(len(entries) * HELD_OUT_SHARE)))
    held_out = {entry.key for entry in chance[:count]}
    return (
        [entry for entry in entries if entry.key not in held_out],
        [entry for entry in entries if entry.key in held_out],
    )


def fingerprint(entries: Sequence[Entry]) -> str:
    """Of the keys and captions, not of the pixels: whether a run goes on with the same layers."""
    listed = json.dumps([(entry.key, entry.caption) for entry in entries])
    return hashlib.sha256(listed.encode()).hexdigest()[:16]


def keep_listing(file: Path, entries: Sequence[Entry]) -> None:
    """Write which layers were learned from, a line each. Raises CannotWrite."""
    lines = (json.dumps({"key": each.key, "text": each.caption}) for each in entries)
    text_written_whole(file, "".join(f"{line}\n" for line in lines))
