"""Styles for Flux, whoever trained them, under the names of diffusers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from diffusers.loaders.lora_pipeline import FluxLoraLoaderMixin
from torch import Tensor

from acetate.adapters.patch import PatchMismatch

_THEIR_OWN = ("hada_", "lokr_", ".diff", "dora_scale", "lora_magnitude")


def flux_style(file: Mapping[str, Tensor], name: str = "The patch") -> dict[str, Tensor]:
    """Low-rank tensors in any form that diffusers reads (its own, kohya's, the authors', X-Labs').

    Of other kinds (LoHa, LoKr, DoRA, a full difference) diffusers' converters know nothing: these
    stay under the names that they have, which `read_style` knows. Raises PatchMismatch.
    """
    if any(mark in key for key in file for mark in _THEIR_OWN):
        return dict(file)
    try:
        mixin = cast("Any", FluxLoraLoaderMixin)  # It leaves open what it returns.
        found: tuple[Any, ...] = mixin.lora_state_dict(dict(file), return_alphas=True)
    except Exception as error:  # Whatever its converters meet in a form that they do not know.
        raise PatchMismatch(f"{name} is of a form that is not known for Flux.") from error
    state, alphas = found[:2]
    return {
        **state,
        **{
            key: torch.as_tensor(alpha)
            for key, alpha in cast("dict[str, Any]", alphas or {}).items()
        },
    }
