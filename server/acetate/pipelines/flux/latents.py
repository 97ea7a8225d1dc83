"""Latents of FLUX.1 as the tokens that its denoiser reads, and where each of them lies."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def pack(latent: Tensor) -> Tensor:
    """[B, C, h, w] as tokens [B, h / 2 × w / 2, 4 C]: each holds 2 × 2 places."""
    return nn.functional.pixel_unshuffle(latent, 2).flatten(2).transpose(1, 2)


def unpack(tokens: Tensor, height: int, width: int) -> Tensor:
    """Tokens of `pack` as a latent [B, C, height, width]."""
    grid = torch.unflatten(tokens.transpose(1, 2), 2, (height // 2, width // 2))
    return nn.functional.pixel_shuffle(grid, 2)


def places(height: int, width: int) -> Tensor:
    """Where each token lies: [height × width, 3], of which the first is always 0."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([torch.zeros_like(rows), rows, columns], dim=-1).flatten(0, 1)
