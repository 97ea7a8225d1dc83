"""Pairs of two layers as `acetate train pairs` writes them, read to learn from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from acetate.training.collection.entries import (
    CollectionError,
    Entry,
    FileBytes,
    Unusable,
    read_layer,
    read_pixels,
)
from acetate.training.collection.folder import METADATA

Part = Literal["layer", "background", "blended"]
PARTS: tuple[Part, ...] = ("layer", "background", "blended")


@dataclass(frozen=True)
class LayerPair:
    """A layer, what is behind it and both together: an entry each, with its own words."""

    key: str
    parts: dict[Part, Entry]


def open_pairs(folder: Path, report: Callable[[str], None]) -> list[LayerPair]:
    """The pairs whose pictures can be read, in the order of their keys; others are told.

    Raises CollectionError where there is none.
    """
    try:
        lines = (folder / METADATA).read_text("utf-8", "replace").splitlines()
    except OSError as error:
        raise CollectionError(
            f"There are no pairs of layers in {folder}.",
            "Make them with `acetate train pairs`.",
        ) from error
    faults: Counter[str] = Counter()
    pairs: list[LayerPair] = []
    for line in lines:
        try:
            pair = _pair_in(folder, json.loads(line))
        except (ValueError, KeyError, TypeError):
            faults["lines of metadata.jsonl that name no pair"] += 1
            continue
        try:
            read_layer(pair.parts["layer"])
            for part in PARTS[1:]:
                read_pixels(pair.parts[part])
        except Unusable as error:
            faults[error.kind] += 1
            continue
        pairs.append(pair)
    left_out = ", ".join(f"{count} {reason}" for reason, count in sorted(faults.items()))
    if not pairs:
        raise CollectionError(
            f"None of the pairs in {folder} can be used{f': {left_out}' if left_out else ''}.",
            "Make them again with `acetate train pairs`.",
        )
    count = "1 pair" if len(pairs) == 1 else f"{len(pairs)} pairs"
    report(f"{count} to learn from" + (f"; left out: {left_out}" if left_out else ""))
    return sorted(pairs, key=lambda pair: pair.key)


def _pair_in(folder: Path, row: Any) -> LayerPair:
    key, words = str(row["pair"]), row["words"]
    return LayerPair(
        key,
        {
            part: Entry(f"{key}/{part}", str(words[part]), FileBytes(folder / f"{key}.{part}.png"))
            for part in PARTS
        },
    )
