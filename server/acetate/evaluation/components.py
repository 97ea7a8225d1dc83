"""The largest connected part of a mask."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Places = NDArray[np.intp]


def largest_part(mask: Mask) -> Mask:
    """The largest part of [H, W] whose pixels touch along their sides; of equals the first.

    Whole runs of a row are joined, not pixels: each takes the smallest number of those that it
    touches, again and again, which is over after as many rounds as numbers have to travel, halved
    each time.
    """
    height, width = mask.shape
    padded = np.zeros((height, width + 1), np.int8)
    padded[:, :width] = mask
    edges = np.diff(padded.ravel(), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    if not len(starts):
        return np.zeros_like(mask)
    # The runs below each run: those of the next row whose columns overlap with its own.
    first = _found(ends, starts + width + 1, side="right")
    last = _found(starts, ends + width + 1, side="left")
    counts = np.maximum(last - first, 0)
    above = np.repeat(np.arange(len(starts)), counts)
    skipped = np.cumsum(counts) - counts
    below = cast("Places", np.repeat(first - skipped, counts) + np.arange(counts.sum()))
    label = np.arange(len(starts))
    while True:
        smallest = label.copy()
        np.minimum.at(smallest, label[above], label[below])
        np.minimum.at(smallest, label[below], label[above])
        while (jumped := smallest[smallest]).tobytes() != smallest.tobytes():
            smallest = jumped
        merged = smallest[label]
        if np.array_equal(merged, label):
            break
        label = merged
    sizes = np.bincount(label, weights=ends - starts)
    kept = label == sizes.argmax()
    marks = np.zeros(padded.size + 1, np.int32)
    np.add.at(marks, starts[kept], 1)
    np.add.at(marks, ends[kept], -1)
    whole = np.cumsum(marks)[: padded.size].reshape(padded.shape)
    return whole[:, :width].astype(np.bool_)


def _found(places: Places, wanted: Places, side: str) -> Places:
    """`searchsorted`, whose types are left open."""
    return cast("Any", np).searchsorted(places, wanted, side=side)
