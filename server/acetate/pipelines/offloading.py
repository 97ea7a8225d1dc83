"""Keeping on the device only the network that works at the moment; the others wait in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from accelerate.hooks import (  # pyright: ignore[reportMissingTypeStubs]  # It has none.
    ModelHook,
    add_hook_to_module,
    remove_hook_from_module,
)
from accelerate.utils import (  # pyright: ignore[reportMissingTypeStubs]  # It has none.
    send_to_device,  # pyright: ignore[reportUnknownVariableType]  # It has no annotations.
)
from torch import nn

from acetate.pipelines.memory import free_memory

_OUTSIDE = torch.device("cpu")
_WORKING = 2 * 2**30
"""Bytes beside the weights that a painting needs at the least."""


class Offloading:
    """Networks that take turns on a device: when one is called, the others leave."""

    def __init__(self, networks: Sequence[nn.Module], device: torch.device) -> None:
        self._networks = list(networks)
        for network in self._networks:
            nn.Module.to(network, _OUTSIDE)
            add_hook_to_module(network, _Turn(self, device))

    def send_away_all_but(self, working: nn.Module) -> None:
        """Only this network may be on the device."""
        for network in self._networks:
            if network is not working and next(network.parameters()).device != _OUTSIDE:
                nn.Module.to(network, _OUTSIDE)

    def remove(self, device: torch.device) -> None:
        """All networks are on the device again and stay there."""
        for network in self._networks:
            remove_hook_from_module(network)
            nn.Module.to(network, device)


class _Turn(ModelHook):
    """Called before a network works; diffusers calls it for `encode` and `decode`, too."""

    def __init__(self, offloading: Offloading, device: torch.device) -> None:
        self._offloading = offloading
        self._device = device

    def pre_forward(self, module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        self._offloading.send_away_all_but(module)
        # Past diffusers' own `to`, which warns of precautions that only its loader takes.
        nn.Module.to(module, self._device)
        return send_to_device(args, self._device), send_to_device(kwargs, self._device)


def fits(weights: int, device: torch.device) -> bool:
    """Whether so many bytes of weights can all stay on the device while it paints."""
    return device.type != "cuda" or weights + _WORKING <= free_memory(device)
