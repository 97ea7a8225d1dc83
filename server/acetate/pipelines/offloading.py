"""Keeping on the device only the network that works at the moment; the others wait in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from accelerate import cpu_offload_with_hook
from accelerate.hooks import UserCpuOffloadHook
from torch import nn

from acetate.pipelines.ladder import free_memory

_WORKING = 2 * 2**30
"""Bytes beside the weights that a painting needs at the least."""


class Offloading:
    """Networks that take turns on a device: the next one to work sends the last one away."""

    def __init__(self, networks: Sequence[nn.Module], device: torch.device) -> None:
        self.networks = list(networks)
        self._hooks: list[UserCpuOffloadHook] = []
        for network in self.networks:
            nn.Module.to(network, torch.device("cpu"))
        for network in self.networks:
            _, hook = cpu_offload_with_hook(network, device)
            self._hooks.append(hook)
        # Whoever works next, all others leave.
        for hook in self._hooks:
            hook.hook.prev_module_hook = _All([other for other in self._hooks if other is not hook])

    def remove(self) -> None:
        """The networks stay where they are from now on."""
        for hook in self._hooks:
            hook.remove()


class _All(UserCpuOffloadHook):
    """Several hooks where accelerate expects one."""

    def __init__(self, hooks: list[UserCpuOffloadHook]) -> None:
        self._hooks = hooks

    def offload(self) -> None:
        for hook in self._hooks:
            if next(hook.model.parameters()).device.type != "cpu":
                hook.offload()


def fits(weights: Iterable[Path], device: torch.device) -> bool:
    """Whether weights of this size on the disk can all stay on the device while it paints."""
    if device.type != "cuda":
        return True
    return sum(path.stat().st_size for path in weights) + _WORKING <= free_memory(device)
