"""Fitting the weights of a model that was loaded outside into the memory of a card."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import cast

import torch
from torch import nn

from acetate.adapters.quantised_linear import Bits, fits, quantise
from acetate.errors import BadRequest
from acetate.models import fitting
from acetate.pipelines.memory import Ladder, free_memory
from acetate.pipelines.offloading import Offloading

VARIABLE = "ACETATE_WEIGHTS"
"""In how many bits weights are kept (16, 8, fp8 or 4), whatever memory there is."""

_CHOICES = ("16", "8", "fp8", "4")


def place_weights(
    networks: Sequence[nn.Module],
    small: Sequence[nn.Module],
    device: torch.device,
    ladder: Ladder,
    free: float | None = None,
) -> Offloading | None:
    """Bring a model onto the device, as much of it as goes; None where all of it is there.

    `networks` are all that it has, the denoiser first; `small` those that may be kept in fewer
    bits. What is done differently is told at every painting. Raises BadRequest.
    """
    chosen = chosen_bits()
    only = cast("fitting.Bits | None", {None: None, "fp8": "8"}.get(chosen, chosen))
    available = free_memory(device) if free is None else free
    found = fitting.plan([size_of(network) for network in networks], available, only)
    bits = only or (found.bits if found else "4")
    if bits != "16":
        for network in small:
            quantise(network, chosen if chosen == "fp8" else cast("Bits", bits))
    ladder.standing = found.sentence if found else ""
    if found is not None and found.manner == "whole":
        for network in networks:
            nn.Module.to(network, device)
        return None
    offloading = Offloading(networks, device)
    if found is None or found.manner == "streamed":
        offloading.stream(networks[0])
    return offloading


def size_of(network: nn.Module) -> fitting.Network:
    """How large a network is."""
    numbers = sum(weight.numel() for weight in network.parameters())
    linear = sum(
        module.weight.numel()
        for module in network.modules()
        if type(module) is nn.Linear and fits(module)
    )
    return fitting.Network(numbers, linear)


def chosen_bits() -> Bits | str | None:
    """What the variable says. Raises BadRequest."""
    given = os.environ.get(VARIABLE, "")
    if given and given not in _CHOICES:
        raise BadRequest(f"{VARIABLE} is one of {', '.join(_CHOICES)}, not “{given[:40]}”.")
    return given or None
