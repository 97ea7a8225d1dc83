"""Anybody's autoencoder as the trainer needs it: frozen, but gradients pass through its decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class FrozenAutoencoder:
    """Pictures are RGB [B, 3, H, W] in [0, 1]; latents are unscaled.

    `fold` × `fold` pixels are folded into channels first. A scaled latent is
    (latent - shift) × scale. No module of torch, so that it belongs to no stage's weights.
    """

    network: Any
    fold: int = 1
    scale: float = 1.0
    shift: float = 0.0

    @classmethod
    def of(cls, network: Any) -> FrozenAutoencoder:
        """With the scale and the shift in its configuration."""
        config = network.config
        if (norm := getattr(network, "bn", None)) is not None:
            # FLUX.2 keeps the spread of its latents as that of a normalisation.
            return cls(network, scale=float(norm.running_var.mean().clamp_min(1e-6).rsqrt()))
        shift = config.get("shift_factor") or 0.0
        return cls(network, scale=float(config["scaling_factor"]), shift=float(shift))

    def __post_init__(self) -> None:
        self.network.requires_grad_(False).eval()

    @property
    def channels(self) -> int:
        """Of a latent."""
        return int(self.network.config["latent_channels"])

    @property
    def factor(self) -> int:
        """Pixels to a place of the latent, along each side."""
        return self.fold * 2 ** (len(self.network.config["block_out_channels"]) - 1)

    @torch.no_grad()
    def moments(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the latent, [B, C, H / factor, W / factor]."""
        entered = rgb * 2 - 1
        if self.fold > 1:
            entered = functional.pixel_unshuffle(entered, self.fold)
        posterior = self.network.encode(self._fitting(entered)).latent_dist
        return posterior.mean.float(), posterior.std.float()

    def picture(self, latent: Tensor) -> Tensor:
        """What is seen in a latent, not clipped."""
        seen = self.network.decode(self._fitting(latent), return_dict=False)[0].float()
        if self.fold > 1:
            seen = functional.pixel_shuffle(seen, self.fold)
        return seen * 0.5 + 0.5

    def _fitting(self, entered: Tensor) -> Tensor:
        weight = next(self.network.parameters())
        return entered.to(weight.device, weight.dtype)
