"""What of a denoiser is trained: low-rank pairs beside its attention, or all attention weights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import sqrt
from typing import Any, cast

import torch
from torch import Tensor, nn

from acetate.errors import BadRequest

_ATTENTION = re.compile(r"(?:^|\.)attn\d?\.[^.]+(?:\.0)?$")

Change = Tensor | tuple[Tensor, Tensor]
"""What is added to a weight, or its matrices (up, down)."""


class LowRank(nn.Module):
    """A linear layer with a low-rank pair beside it, which starts as nothing (Hu et al. 2021)."""

    def __init__(self, base: nn.Linear, rank: int) -> None:
        super().__init__()
        self.base = base
        place: Any = {"device": base.weight.device, "dtype": torch.float32}
        self.down = nn.Parameter(torch.empty(rank, base.in_features, **place))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank, **place))
        nn.init.kaiming_uniform_(self.down, a=sqrt(5))

    @property
    def weight(self) -> Tensor:
        """Of the layer alone; diffusers asks for its type."""
        return self.base.weight

    def forward(self, x: Tensor, *_: Any) -> Tensor:
        """The layer's answer and the pair's."""
        thin = nn.functional.linear(x.to(self.down.dtype), self.down)
        return self.base(x) + nn.functional.linear(thin, self.up).to(x.dtype)


class TrainedAttention(nn.Module):
    """The trained weights of a denoiser's attention: of a rank, or all of them for rank 0.

    The denoiser has them inside itself from now on; `remove` takes them out.
    """

    def __init__(self, denoiser: nn.Module, rank: int) -> None:
        super().__init__()
        self._denoiser = [denoiser]  # In a list, so that its weights are not this module's.
        self._originals: dict[str, Tensor] = {}
        self.pairs = nn.ModuleDict()
        self.whole = nn.ParameterDict()
        denoiser.requires_grad_(False)
        for name in _attention_layers(denoiser):
            layer = cast("nn.Linear", denoiser.get_submodule(name))
            key = name.replace(".", "/")
            if rank:
                self.pairs[key] = pair = LowRank(layer, min(rank, *layer.weight.shape))
                denoiser.set_submodule(name, pair)
                continue
            self._originals[name] = layer.weight.detach().cpu().clone()
            layer.weight = nn.Parameter(layer.weight.detach().float())
            self.whole[key] = layer.weight

    def changes(self) -> dict[str, Change]:
        """By the name of the layer: its pair, or what was added to its weight; fp32 on the CPU."""
        found: dict[str, Change] = {}
        for key, pair in self.pairs.items():
            assert isinstance(pair, LowRank)
            both = pair.up.detach().cpu().clone(), pair.down.detach().cpu().clone()
            found[key.replace("/", ".")] = both
        for key, weight in self.whole.items():
            name = key.replace("/", ".")
            found[name] = weight.detach().cpu() - self._originals[name].float()
        return found

    def remove(self) -> None:
        """Leave the denoiser as it was."""
        (denoiser,) = self._denoiser
        for key, pair in self.pairs.items():
            assert isinstance(pair, LowRank)
            denoiser.set_submodule(key.replace("/", "."), pair.base)
        for name, original in self._originals.items():
            layer = cast("nn.Linear", denoiser.get_submodule(name))
            layer.weight = nn.Parameter(original.to(layer.weight.device), requires_grad=False)
        self.pairs, self.whole, self._originals = nn.ModuleDict(), nn.ParameterDict(), {}


def as_pair(change: Change) -> tuple[Tensor, Tensor]:
    """Any change as matrices whose product it is exactly: for layouts that know nothing else."""
    if isinstance(change, tuple):
        return change
    rows, columns = change.shape
    if rows <= columns:
        return torch.eye(rows), change
    return change, torch.eye(columns)


def _attention_layers(denoiser: nn.Module) -> list[str]:
    """The linear layers of all attention, by name. Raises BadRequest where there are none."""
    found = [
        name
        for name, module in cast("Iterator[tuple[str, nn.Module]]", denoiser.named_modules())
        if isinstance(module, nn.Linear) and _ATTENTION.search(name)
    ]
    if not found:
        raise BadRequest("The denoiser of this base has no attention that could be trained.")
    return found
