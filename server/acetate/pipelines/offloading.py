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
from diffusers.hooks.group_offloading import apply_group_offloading
from diffusers.hooks.hooks import HookRegistry
from torch import nn

_OUTSIDE = torch.device("cpu")
_GROUPS = "group_offloading"
"""The name that diffusers gives its hook."""


class Offloading:
    """Networks that take turns on a device: when one is called, the others leave."""

    def __init__(self, networks: Sequence[nn.Module], device: torch.device) -> None:
        self._networks = list(networks)
        self._device = device
        self._streamed: nn.Module | None = None
        for network in self._networks:
            nn.Module.to(network, _OUTSIDE)
            add_hook_to_module(network, _Turn(self, device))

    def send_away_all_but(self, working: nn.Module) -> None:
        """Only this network may be on the device."""
        for network in self._networks:
            kept = network in (working, self._streamed)
            if not kept and next(network.parameters()).device != _OUTSIDE:
                nn.Module.to(network, _OUTSIDE)

    def stream(self, network: nn.Module) -> bool:
        """Bring this one in block by block while it works; whether that is new.

        Without a stream of its own, which would go by copies that no patch has changed.
        """
        if self._streamed is not None:
            return False
        self._streamed = network
        remove_hook_from_module(network)
        nn.Module.to(network, _OUTSIDE)
        blocks = bool(getattr(network, "_repeated_blocks", None)) and not _is_unet(network)
        manner: dict[str, Any] = (
            {"offload_type": "block_level", "num_blocks_per_group": 1}
            if blocks
            else {"offload_type": "leaf_level"}
        )
        apply_group_offloading(network, self._device, _OUTSIDE, **manner)
        add_hook_to_module(network, _Stream(self, self._device))
        return True

    def remove(self, device: torch.device) -> None:
        """All networks are on the device again and stay there."""
        if self._streamed is not None:
            registry: Any = HookRegistry
            registry.check_if_exists_or_initialize(self._streamed).remove_hook(_GROUPS)
            self._streamed = None
        for network in self._networks:
            remove_hook_from_module(network)
            nn.Module.to(network, device)


class _Turn(ModelHook):
    """Called before a network works; diffusers calls it for `encode` and `decode`, too."""

    def __init__(self, offloading: Offloading, device: torch.device) -> None:
        self._offloading = offloading
        # Under the name by which diffusers' own pipelines ask hooks where to put latents.
        self._device = self.execution_device = device

    def pre_forward(self, module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        self._offloading.send_away_all_but(module)
        # Past diffusers' own `to`, which warns of precautions that only its loader takes.
        nn.Module.to(module, self._device)
        return send_to_device(args, self._device), send_to_device(kwargs, self._device)


class _Stream(ModelHook):
    """Called before a network works that comes in block by block."""

    def __init__(self, offloading: Offloading, device: torch.device) -> None:
        self._offloading = offloading
        # Under the name by which diffusers' own pipelines ask hooks where to put latents.
        self._device = self.execution_device = device

    def pre_forward(self, module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        self._offloading.send_away_all_but(module)
        return send_to_device(args, self._device), send_to_device(kwargs, self._device)


def _is_unet(network: nn.Module) -> bool:
    """Whether its blocks are few and large, so that single layers are brought in instead."""
    return hasattr(network, "down_blocks")
