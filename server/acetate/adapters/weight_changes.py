"""How one weight of a frozen network is changed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


class Change(ABC):
    """What is added to a weight, at a strength."""

    @abstractmethod
    def fits(self, weight: Tensor) -> bool:
        """Whether it can be added to a weight of that shape."""

    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of the weight that it is for, as far as its own tensors tell."""

    @abstractmethod
    def delta(self, weight: Tensor) -> Tensor:
        """What is added at strength 1, a new fp32 tensor in the shape of the weight."""

    def merged(self, weight: Tensor, strength: float) -> Tensor:
        """The changed weight, summed in fp32 and returned in the weight's own type."""
        # In place: to walk through billions of numbers takes as long as to multiply for them.
        return _times(self.delta(weight), strength).add_(weight).to(weight.dtype)


@dataclass(frozen=True)
class Offset(Change):
    """A tensor that is added; a wider one widens a convolution, the new inputs last."""

    tensor: Tensor
    scale: float = 1.0

    def fits(self, weight: Tensor) -> bool:
        return self.tensor.shape == weight.shape

    def widens(self, weight: Tensor) -> bool:
        """Whether this convolution has more inputs and is otherwise of the same shape."""
        ours, theirs = self.tensor.shape, weight.shape
        if len(ours) != 4 or len(theirs) != 4:
            return False
        return ours[1] > theirs[1] and (ours[0], *ours[2:]) == (theirs[0], *theirs[2:])

    def leads(self, weight: Tensor) -> bool:
        """Whether it is for the first inputs of this convolution, which has more."""
        ours, theirs = self.tensor.shape, weight.shape
        if len(ours) != 4 or len(theirs) != 4:
            return False
        return ours[1] < theirs[1] and (ours[0], *ours[2:]) == (theirs[0], *theirs[2:])

    def shape(self) -> tuple[int, ...]:
        return tuple(self.tensor.shape)

    def delta(self, weight: Tensor) -> Tensor:
        return self.scale * self.tensor.to(weight.device).float()

    def merged(self, weight: Tensor, strength: float) -> Tensor:
        total = weight.float()
        if self.leads(weight):
            total = total.clone()
            total[:, : self.tensor.shape[1]] += _times(self.delta(weight), strength)
            return total.to(weight.dtype)
        if self.tensor.shape != weight.shape:
            wide = total.new_zeros(self.tensor.shape)
            wide[tuple(slice(side) for side in weight.shape)] = total
            total = wide
        return _times(self.delta(weight), strength).add_(total).to(weight.dtype)


@dataclass(frozen=True)
class LowRank(Change):
    """The product of two thin matrices, times a scale of its own (1 in the published files)."""

    up: Tensor
    down: Tensor
    scale: float = 1.0

    @classmethod
    def of(cls, first: Tensor, second: Tensor, weight: Tensor, scale: float = 1.0) -> LowRank:
        """Official order is (up, down); files with the two swapped are told by their shapes."""
        swapped = cls(second, first, scale)
        ordered = cls(first, second, scale)
        return swapped if swapped.fits(weight) and not ordered.fits(weight) else ordered

    def fits(self, weight: Tensor) -> bool:
        if self.up.dim() < 2 or self.down.dim() < 2 or weight.dim() < 2:
            return False
        inputs = weight[0].numel()
        return (
            self.up.shape[0] == weight.shape[0]
            and self.up[0].numel() == self.down.shape[0]
            and self.down[0].numel() == inputs
        )

    def shape(self) -> tuple[int, ...]:
        return (self.up.shape[0], *self.down.shape[1:])

    def delta(self, weight: Tensor) -> Tensor:
        up = self.up.to(weight.device).float().flatten(1)
        down = self.down.to(weight.device).float().flatten(1)
        return _times(torch.mm(up, down), self.scale).reshape(weight.shape)


@dataclass(frozen=True)
class Tucker(Change):
    """Two thin matrices with a small kernel between them, for convolutions (LoCon, LoHa, LoKr)."""

    up: Tensor
    middle: Tensor
    down: Tensor
    scale: float = 1.0

    def fits(self, weight: Tensor) -> bool:
        return self.shape() == tuple(weight.shape) and self.sound()

    def sound(self) -> bool:
        """Whether the three can be multiplied."""
        return (
            self.middle.dim() == 4
            and self.up[0].numel() == self.middle.shape[0]
            and self.down.shape[0] == self.middle.shape[1]
        )

    def shape(self) -> tuple[int, ...]:
        return (self.up.shape[0], self.down[0].numel(), *self.middle.shape[2:])

    def delta(self, weight: Tensor) -> Tensor:
        up, middle, down = (
            each.to(weight.device).float() for each in (self.up, self.middle, self.down)
        )
        return self.scale * torch.einsum("oi,ijhw,jc->ochw", up.flatten(1), middle, down.flatten(1))


@dataclass(frozen=True)
class Hadamard(Change):
    """The product, number by number, of two changes (LoHa)."""

    first: Change
    second: Change
    scale: float = 1.0

    def fits(self, weight: Tensor) -> bool:
        return self.first.fits(weight) and self.second.fits(weight)

    def shape(self) -> tuple[int, ...]:
        return self.first.shape()

    def delta(self, weight: Tensor) -> Tensor:
        return self.scale * self.first.delta(weight) * self.second.delta(weight)


@dataclass(frozen=True)
class Kronecker(Change):
    """A small matrix of which each number scales a copy of another (LoKr)."""

    first: Tensor
    second: Tensor
    scale: float = 1.0

    def fits(self, weight: Tensor) -> bool:
        outer, inner = self.first, self.second
        if min(outer.dim(), inner.dim(), weight.dim()) < 2:
            return False
        rows, columns = outer.shape[0] * inner.shape[0], outer[0].numel() * inner[0].numel()
        return (rows, columns) == (weight.shape[0], weight[0].numel())

    def shape(self) -> tuple[int, ...]:
        if min(self.first.dim(), self.second.dim()) < 2:
            return ()
        sides = (self.first.shape[0] * self.second.shape[0], self.first.shape[1])
        return (sides[0], sides[1] * self.second.shape[1], *self.second.shape[2:])

    def delta(self, weight: Tensor) -> Tensor:
        first, second = (each.to(weight.device).float() for each in (self.first, self.second))
        wide = first.reshape(*first.shape[:2], *([1] * (second.dim() - 2)))
        return self.scale * torch.kron(wide, second).reshape(weight.shape)


@dataclass(frozen=True)
class Sum(Change):
    """Two changes of one weight, as files hold that trained a product and a difference."""

    first: Change
    second: Change

    def fits(self, weight: Tensor) -> bool:
        return self.first.fits(weight) and self.second.fits(weight)

    def shape(self) -> tuple[int, ...]:
        return self.first.shape()

    def delta(self, weight: Tensor) -> Tensor:
        return self.first.delta(weight) + self.second.delta(weight)


@dataclass(frozen=True)
class Decomposed(Change):
    """A change whose sum with the weight is brought to learned lengths (DoRA)."""

    change: Change
    magnitude: Tensor

    def fits(self, weight: Tensor) -> bool:
        if weight.dim() < 2:
            return False
        return self.change.fits(weight) and self.magnitude.numel() in weight.shape[:2]

    def shape(self) -> tuple[int, ...]:
        return self.change.shape()

    @property
    def by_column(self) -> bool:
        """Its own shape says along which side lengths were measured; a plain list is of rows."""
        sides = self.magnitude.shape
        return len(sides) > 1 and sides[0] == 1 and sides[1] > 1

    def delta(self, weight: Tensor) -> Tensor:
        whole = weight.float() + self.change.delta(weight)
        wanted = self.magnitude.to(weight.device).float()
        kept = 1 if self.by_column else 0
        sides = [side for side in range(whole.dim()) if side != kept]
        length: Any = whole.pow(2).sum(dim=sides, keepdim=True).sqrt()
        shape = [1] * whole.dim()
        shape[kept] = -1
        return whole * (wanted.reshape(shape) / length.clamp_min(1e-12)) - weight.float()


@dataclass(frozen=True)
class Rows(Change):
    """The rows of a change that are one weight's, of several that a file keeps above each other.

    `parts` are their places, first and past the last, in the order of the weight's rows; `whole` is
    how many rows there are in all.
    """

    change: Change
    parts: tuple[tuple[int, int], ...]
    whole: int

    @classmethod
    def of(cls, change: Change, parts: tuple[tuple[int, int], ...], whole: int) -> Change:
        """The change itself where it has no other rows. Raises ValueError where rows need all."""
        if parts == ((0, whole),):
            return change
        if isinstance(change, Decomposed):
            if change.by_column or change.magnitude.numel() != whole:
                raise ValueError("lengths of columns, which are those of all the rows together")
            lengths = change.magnitude.flatten()
            taken = torch.cat([lengths[begin:end] for begin, end in parts])
            return Decomposed(cls(change.change, parts, whole), taken)
        return cls(change, parts, whole)

    def fits(self, weight: Tensor) -> bool:
        rows = sum(end - begin for begin, end in self.parts)
        return rows == len(weight) and self.change.fits(self._all(weight, torch.device("meta")))

    def shape(self) -> tuple[int, ...]:
        return self.change.shape()

    def delta(self, weight: Tensor) -> Tensor:
        # Of the whole only the shape is asked for: none of what is left reads its numbers.
        whole = self.change.delta(self._all(weight, weight.device))
        return torch.cat([whole[begin:end] for begin, end in self.parts])

    def _all(self, weight: Tensor, device: torch.device) -> Tensor:
        return torch.empty((self.whole, *weight.shape[1:]), device=device)


def _times(fresh: Tensor, factor: float) -> Tensor:
    """A tensor that nobody else has, multiplied in place."""
    return fresh if factor == 1 else fresh.mul_(factor)
