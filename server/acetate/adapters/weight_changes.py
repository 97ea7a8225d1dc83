"""How one weight of a frozen network is changed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Offset:
    """A tensor that is added; a wider one widens a convolution, the new inputs last."""

    tensor: Tensor

    def fits(self, weight: Tensor) -> bool:
        return self.tensor.shape == weight.shape

    def widens(self, weight: Tensor) -> bool:
        """Whether this convolution has more inputs and is otherwise of the same shape."""
        ours, theirs = self.tensor.shape, weight.shape
        if len(ours) != 4 or len(theirs) != 4:
            return False
        return ours[1] > theirs[1] and (ours[0], *ours[2:]) == (theirs[0], *theirs[2:])

    def shape(self) -> tuple[int, ...]:
        return tuple(self.tensor.shape)

    def merged(self, weight: Tensor, strength: float) -> Tensor:
        """The changed weight, summed in fp32 and returned in the weight's own type."""
        total = weight.float()
        if self.tensor.shape != weight.shape:
            wide = total.new_zeros(self.tensor.shape)
            wide[tuple(slice(side) for side in weight.shape)] = total
            total = wide
        return (total + strength * self.tensor.to(weight.device).float()).to(weight.dtype)


@dataclass(frozen=True)
class LowRank:
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

    def merged(self, weight: Tensor, strength: float) -> Tensor:
        """The changed weight, summed in fp32 and returned in the weight's own type."""
        up = self.up.to(weight.device).float().flatten(1)
        down = self.down.to(weight.device).float().flatten(1)
        product = torch.mm(up, down).reshape(weight.shape)
        return (weight.float() + strength * self.scale * product).to(weight.dtype)


Change = Offset | LowRank
