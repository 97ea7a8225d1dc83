"""What a model is told: words as its text encoders read them, and pictures beside them."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class PromptEmbedding:
    """What to paint and what to avoid: token states [B, T, D], pooled states [B, P] if any.

    `turns` are others that take its place at every step but the first, in turn.
    """

    positive: Tensor
    negative: Tensor
    pooled_positive: Tensor | None = None
    pooled_negative: Tensor | None = None
    turns: tuple[PromptEmbedding, ...] = ()


@dataclass(frozen=True)
class ReferredPrompt(PromptEmbedding):
    """Words, and the scaled latents [1, C, h, w] of the pictures that they speak of."""

    references: tuple[Tensor, ...] = ()


@dataclass(frozen=True)
class Conditioning:
    """What the denoiser is told in one evaluation.

    Token states [B, T, D], pooled ones [B, P] if any, and if any, the un-noised condition latents
    [B, N × C, h, w] side by side.
    """

    tokens: Tensor
    pooled: Tensor | None = None
    condition: Tensor | None = None
