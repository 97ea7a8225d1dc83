"""Linear layers whose weights stay packed, with what patches change beside them."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn
from torch.nn import functional

from acetate.adapters.weight_changes import Change


class PackedLinear(nn.Module):
    """Stands for an `nn.Linear`. What patches add stays exact: the base cannot be written, so each
    change is added beside it, by the same sum that a full weight would have been exchanged for.
    """

    in_features: int
    out_features: int
    bias: Tensor | None
    changes: list[tuple[Change, float]]

    @abstractmethod
    def unfolded(self) -> Tensor:
        """The weight [out, in] as the base has it, in the type that it is worked with."""

    @property
    def weight(self) -> Tensor:
        """The weight [out, in] with all changes."""
        weight = self.unfolded()
        for change, strength in self.changes:
            weight = change.merged(weight, strength)
        return weight

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight, self.bias)
