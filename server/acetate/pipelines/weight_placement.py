"""Fitting the weights of a model that was loaded outside into the memory of a card."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, cast

import torch
from torch import nn

from acetate.adapters.quantised_linear import Bits, QuantisedLinear, fits, quantise
from acetate.errors import BadRequest
from acetate.models import fitting
from acetate.pipelines.memory_ladder import Ladder, free_memory

if TYPE_CHECKING:
    from acetate.pipelines.offloading import Offloading

VARIABLE = "ACETATE_WEIGHTS"
"""In how many bits weights are kept (16, 8, fp8 or 4), whatever memory there is; no effect on the
embedded model."""

_asked: ContextVar[str] = ContextVar("_asked", default="")


@contextmanager
def loading_as(form: str) -> Generator[None]:
    """What is loaded in the block is kept as a recipe says, whatever memory there is.

    An empty form, or one that is not known here, leaves the choice.
    """
    token = _asked.set(form if form in fitting.FORMS else "")
    try:
        yield
    finally:
        _asked.reset(token)


def asked_form() -> str:
    """The form that a recipe asks for, empty where none does."""
    return _asked.get()


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
    if chosen:
        manner = found.manner if found else "streamed"
        ladder.standing = fitting.as_chosen(chosen, manner, _chosen_by())
    else:
        ladder.standing = found.sentence if found else ""
    if found is not None and found.manner == "whole":
        for network in networks:
            nn.Module.to(network, device)
        return None
    # It takes diffusers, which loads for seconds and which the embedded model does without.
    from acetate.pipelines.offloading import Offloading

    offloading = Offloading(networks, device)
    if found is None or found.manner == "streamed":
        offloading.stream(networks[0])
    return offloading


def reduce_as_asked(small: Sequence[nn.Module], ladder: Ladder) -> None:
    """Bring a model that was loaded as it is into the form that was chosen. Raises BadRequest."""
    if (chosen := chosen_bits()) and chosen != "16":
        for network in small:
            quantise(network, cast("Bits", chosen))
        ladder.standing = fitting.as_chosen(chosen, "whole", _chosen_by())


def _chosen_by() -> str:
    return "its recipe" if asked_form() else VARIABLE


def form_of(small: Sequence[nn.Module]) -> str:
    """What the weights are kept in, as a recipe has it: empty where they are not reduced."""
    modules = (module for network in small for module in network.modules())
    return next((module.bits for module in modules if isinstance(module, QuantisedLinear)), "")


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
    """What a recipe asks for, or else the variable. Raises BadRequest."""
    if asked := asked_form():
        return asked
    given = os.environ.get(VARIABLE, "")
    if given and given not in fitting.FORMS:
        raise BadRequest(f"{VARIABLE} is one of {', '.join(fitting.FORMS)}, not “{given[:40]}”.")
    return given or None
