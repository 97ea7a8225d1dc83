"""A tiny autoencoder that has learned to show what it was shown, unlike a random one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate, mse_loss

SIDE = 64


def soft_layers(seed: int, count: int = 1, side: int = SIDE) -> Tensor:
    """Straight [count, 4, side, side]: soft colours, and alpha that is 0 and 1 in places."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.rand(count, 4, 3, 3, generator=generator)
    layers = interpolate(drawn, (side, side), mode="bicubic").clamp(0, 1)
    layers[:, 3] = (layers[:, 3] * 3 - 1).clamp(0, 1)
    return layers


def train(autoencoder: Any, frames: bool, steps: int = 150, learning_rate: float = 4e-3) -> None:
    """Learn soft layers, by heart or not; with `frames` pictures have a dimension of time."""
    autoencoder.train().requires_grad_(True)
    optimiser = torch.optim.Adam(autoencoder.parameters(), lr=learning_rate)
    for step in range(steps):
        shown = soft_layers(step, count=4) * 2 - 1
        shown = shown[:, : autoencoder.config["in_channels"]] if not frames else shown[:, :, None]
        latent = autoencoder.encode(shown).latent_dist.mode()
        found = autoencoder.decode(latent, return_dict=False)[0]
        optimiser.zero_grad()
        mse_loss(found, shown).backward()
        optimiser.step()
    autoencoder.eval().requires_grad_(False)
