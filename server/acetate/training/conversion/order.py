"""Which picture is learned from when: the same however many processes share the work."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache

import numpy as np
import torch
from torch.utils.data import Sampler


class Order:
    """An endless order of `count` pictures, shuffled anew each time all of them were seen."""

    def __init__(self, count: int, seed: int) -> None:
        self._count, self._seed = count, seed
        self._shuffled = lru_cache(maxsize=2)(self._shuffle)

    def index(self, number: int) -> int:
        """The picture of one sample, which are numbered through from 0."""
        return int(self._shuffled(number // self._count)[number % self._count])

    def _shuffle(self, epoch: int) -> np.ndarray:
        return np.random.default_rng((self._seed, epoch)).permutation(self._count)


class Shares(Sampler[list[int]]):
    """The numbers of the samples that one process takes, batch by batch, from a step on.

    A step has `batch` samples, split evenly over processes and then over `parts` in turn.
    """

    def __init__(self, batch: int, steps: range, rank: int, processes: int, parts: int) -> None:
        self._batch, self._steps = batch, steps
        self._rank, self._processes, self._parts = rank, processes, parts

    def __iter__(self) -> Iterator[list[int]]:
        share = self._batch // self._processes
        part = share // self._parts
        for step in self._steps:
            first = step * self._batch + self._rank * share
            for start in range(first, first + share, part):
                yield list(range(start, start + part))


def numbers_in(batch: Mapping[str, torch.Tensor]) -> list[int]:
    """Of the samples of a batch."""
    return [int(number) for number in batch["number"]]


def chance(seed: int, number: int, purpose: str) -> torch.Generator:
    """What is left to chance in one sample for one purpose, the same in every process.

    Of other seeds, samples and purposes it is independent.
    """
    # The generator of the CPU looks at the low 32 bits of its seed alone: all must count there.
    told = hashlib.sha256(f"{purpose} of {number} from {seed}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(told[:4], "little"))


def drawn(shape: tuple[int, ...], seed: int, number: int) -> torch.Tensor:
    """Unit noise for one sample, the same on every device and in every process."""
    return torch.randn(shape, generator=chance(seed, number, "noise"))
