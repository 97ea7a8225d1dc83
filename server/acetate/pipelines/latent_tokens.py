"""Latents as the tokens of a transformer, one for each place."""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor


def flat(latent: Tensor) -> Tensor:
    """[B, C, h, w] as tokens [B, h × w, C]."""
    return latent.flatten(2).transpose(1, 2)


def unflat(tokens: Tensor, height: int, width: int) -> Tensor:
    """Tokens of `flat` as a latent [B, C, height, width]."""
    return cast("Any", tokens.transpose(1, 2)).unflatten(2, (height, width))
