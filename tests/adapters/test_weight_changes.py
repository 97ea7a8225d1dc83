"""What is added to a weight: to the same bytes as written down plainly, and in few passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from acetate.adapters.weight_changes import (
    Change,
    Decomposed,
    Hadamard,
    Kronecker,
    LowRank,
    Offset,
    Rows,
    Sum,
)

HALF = torch.bfloat16


def thin(seed: int) -> LowRank:
    torch.manual_seed(seed)
    return LowRank(torch.randn(24, 4, dtype=HALF), torch.randn(4, 16, dtype=HALF), 0.3 + seed)


CHANGES: dict[str, Change] = {
    "product": thin(0),
    "difference": Offset(torch.randn(24, 16), 1.0),
    "half difference": Offset(torch.randn(24, 16, dtype=HALF), 0.5),
    "hadamard": Hadamard(thin(1), thin(2), 0.5),
    "kronecker": Kronecker(torch.randn(4, 4), torch.randn(6, 4), 0.5),
    "both": Sum(thin(1), Offset(torch.randn(24, 16))),
    "lengths": Decomposed(thin(1), torch.rand(24, 1)),
    "rows": Rows(LowRank(torch.randn(48, 4), torch.randn(4, 16)), ((8, 20), (24, 36)), 48),
}


@pytest.mark.parametrize("dtype", [torch.float32, HALF])
@pytest.mark.parametrize("strength", [1.0, 0.7])
@pytest.mark.parametrize("kind", CHANGES)
def test_a_changed_weight_is_the_plain_sum_to_the_byte_and_nothing_else_is_touched(
    kind: str, strength: float, dtype: torch.dtype
) -> None:
    weight = torch.randn(24, 16).to(dtype)
    before, change = weight.clone(), CHANGES[kind]
    expected = (weight.float() + strength * change.delta(weight)).to(dtype)
    for _ in range(2):  # What is kept of the change is not what it is summed in.
        assert torch.equal(change.merged(weight, strength), expected)
    assert torch.equal(weight, before)


class NewTensors(TorchDispatchMode):
    """Counts the numbers in all tensors that are made, not those that are changed in place."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        made = func(*args, **kwargs or {})
        given = {each.untyped_storage().data_ptr() for each in args if isinstance(each, Tensor)}
        if isinstance(made, Tensor) and made.untyped_storage().data_ptr() not in given:
            self.numbers += made.numel()
        return made


@pytest.mark.parametrize("strength", [1.0, 0.7])
def test_a_product_is_merged_in_its_own_place(strength: float) -> None:
    """A patch for layers of full-size SDXL has a billion numbers, and is merged for each."""
    change = LowRank(torch.randn(512, 2), torch.randn(2, 512), 0.5)
    weight = torch.randn(512, 512).to(HALF)
    with NewTensors() as made:
        change.merged(weight, strength)
    assert made.numbers == 2 * weight.numel()
