"""How much memory weights take, and whether a device has it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from acetate.models.fitting import WORKING
from acetate.pipelines.memory_ladder import free_memory

_CARDS = ("cuda", "xpu")
"""Devices with a memory of their own; Apple's graphics share that of the machine."""


def bytes_of(networks: Sequence[nn.Module]) -> int:
    """What their weights take, wherever they are."""
    return sum(
        weight.nbytes
        for network in networks
        for weight in (*network.parameters(), *network.buffers())
    )


def fits(weights: int, device: torch.device) -> bool:
    """Whether so many bytes of weights can all stay on the device while it paints."""
    return device.type not in _CARDS or weights + WORKING <= free_memory(device)
