"""Linear layers whose weights are kept in 8 or 4 bits and unfolded while they work.

Only plain tensor arithmetic, so that it is the same on the cards of every maker and on the
processor: torchao's kernels for 4 bits know the newest cards of NVIDIA alone. 8 bits are rounded
row by row; 4 bits within groups of 64 numbers, as the Q4_1 of GGUF does with 32.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from acetate.adapters.packed_linear import PackedLinear

Bits = Literal["8", "fp8", "4"]
GROUP = 64
"""Numbers of a row that share a scale where each has 4 bits."""
_LEAST = 1e-12


class QuantisedLinear(PackedLinear):
    """See PackedLinear; the weight had more bits before."""

    def __init__(self, linear: nn.Linear, bits: Bits) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.bits: Bits = bits
        self.bias = linear.bias
        self.changes = []
        for name, tensor in _PACK[bits](linear.weight.data).items():
            self.register_buffer(name, tensor)

    def unfolded(self) -> Tensor:
        packed, scale = self.get_buffer("packed"), self.get_buffer("scale")
        if self.bits == "8":
            return packed.to(scale.dtype) * scale
        if self.bits == "fp8":
            return packed.view(torch.float8_e4m3fn).to(scale.dtype) * scale
        pairs = torch.stack([packed & 15, packed >> 4], dim=-1)
        steps: Tensor = torch.flatten(pairs, -2).to(scale.dtype)
        return torch.flatten(steps * scale + self.get_buffer("lowest"), 1)


def quantise(network: nn.Module, bits: Bits) -> None:
    """Exchange the linear layers of a network, one after the other, where they stand."""
    for name, module in _modules(network):
        if type(module) is nn.Linear and fits(module):
            parent, _, own = name.rpartition(".")
            setattr(network.get_submodule(parent), own, QuantisedLinear(module, bits))


def fits(linear: nn.Linear) -> bool:
    """Whether a layer is kept in fewer bits: its rows are whole groups, and it is no small one."""
    return linear.in_features % GROUP == 0 and linear.out_features >= GROUP


def weights_of(network: nn.Module) -> dict[str, Tensor]:
    """All weights and buffers by name as `state_dict` has them, those in fewer bits as shapes."""
    found = dict(network.state_dict())
    for name, module in _modules(network):
        if isinstance(module, PackedLinear):
            shape = (module.out_features, module.in_features)
            found[f"{name}.weight"] = torch.empty(shape, device="meta")
            for part in ("packed", "scale", "lowest"):
                found.pop(f"{name}.{part}", None)
    return found


def _modules(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """All of them by name; torch says little of their type."""
    named = cast("Any", network).named_modules()
    return list(named)


def holder_of(network: nn.Module, name: str) -> PackedLinear | None:
    """The layer in fewer bits whose weight has that name; None for a weight that can be written."""
    module, _, kind = name.rpartition(".")
    found = network.get_submodule(module)
    return found if kind == "weight" and isinstance(found, PackedLinear) else None


def _eight(weight: Tensor) -> dict[str, Tensor]:
    scale = _scale(weight, 127)
    packed = (weight.float() / scale.float()).round().clamp(-127, 127).to(torch.int8)
    return {"packed": packed, "scale": scale}


def _float_eight(weight: Tensor) -> dict[str, Tensor]:
    scale = _scale(weight, torch.finfo(torch.float8_e4m3fn).max)
    packed = (weight.float() / scale.float()).to(torch.float8_e4m3fn)
    # As bytes: what moves a network to another type of floats leaves them alone.
    return {"packed": packed.view(torch.uint8), "scale": scale}


def _four(weight: Tensor) -> dict[str, Tensor]:
    groups: Tensor = torch.unflatten(weight.float(), 1, (-1, GROUP))
    lowest = groups.amin(dim=-1, keepdim=True).to(weight.dtype)
    span = groups.amax(dim=-1, keepdim=True) - lowest.float()
    scale = (span / 15).clamp_min(_LEAST).to(weight.dtype)
    steps: Tensor = ((groups - lowest.float()) / scale.float()).nan_to_num(0.0).round().clamp(0, 15)
    low, high = torch.unflatten(steps.to(torch.uint8), -1, (-1, 2)).unbind(-1)
    return {"packed": low | (high << 4), "scale": scale, "lowest": lowest}


def _scale(weight: Tensor, largest: float) -> Tensor:
    most = weight.float().abs().amax(dim=1, keepdim=True)
    return (most / largest).clamp_min(torch.finfo(weight.dtype).tiny).to(weight.dtype)


_PACK = {"8": _eight, "fp8": _float_eight, "4": _four}
