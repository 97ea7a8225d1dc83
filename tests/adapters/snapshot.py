"""What a network is like, to see whether anything is left of a patch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Snapshot:
    weights: dict[str, Tensor]
    addresses: dict[str, int]
    channels: dict[str, tuple[int, int]]
    processors: dict[str, Any]


def snapshot(network: nn.Module) -> Snapshot:
    return Snapshot(
        {name: tensor.clone() for name, tensor in network.state_dict().items()},
        {name: tensor.data_ptr() for name, tensor in network.state_dict().items()},
        {
            name: (module.in_channels, module.out_channels)
            for name, module in network.named_modules()
            if isinstance(module, nn.Conv2d)
        },
        {
            name: module.processor
            for name, module in network.named_modules()
            if hasattr(module, "processor")
        },
    )


def assert_untouched(network: nn.Module, before: Snapshot) -> None:
    after = snapshot(network)
    assert list(after.weights) == list(before.weights)
    assert all(torch.equal(after.weights[name], before.weights[name]) for name in before.weights)
    assert after.addresses == before.addresses
    assert after.channels == before.channels
    assert after.processors.keys() == before.processors.keys()
    assert all(after.processors[name] is before.processors[name] for name in before.processors)
