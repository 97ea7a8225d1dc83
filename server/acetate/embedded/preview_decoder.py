"""What a latent of the embedded model will look like, for less than a hundredth of decoding it.

A few convolutions at the latent's own size, trained to show what the whole codec shows at a
quarter of a result's side. Nothing that is painted depends on them.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle

SHOWN = 4
"""Pixels of a preview to a side of a latent pixel; the codec has twice as many."""
_LEAST_ALPHA = 2.0**-6
"""Below it, there is no colour to speak of."""


class PreviewDecoder(nn.Module):
    """Scaled latents [B, C, h, w] to [R, G, B, alpha], colour premultiplied, [B, 4, 4 h, 4 w]."""

    def __init__(self, latent_channels: int, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(latent_channels, width, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(width, 4 * SHOWN**2, 3, padding=1),
        )

    def forward(self, latent: Tensor) -> Tensor:
        return pixel_shuffle(self.net(latent), SHOWN)

    @torch.inference_mode()
    def layer(self, latent: Tensor) -> Tensor:
        """Straight RGBA [B, 4, 4 h, 4 w] in [0, 1] of a scaled latent."""
        seen = self._seen(latent)
        alpha = seen[:, 3:]
        colour = seen[:, :3] / alpha.clamp_min(_LEAST_ALPHA)
        return torch.cat([colour, alpha], dim=1).clamp(0, 1)

    @torch.inference_mode()
    def picture(self, latent: Tensor) -> Tensor:
        """The same of a latent without transparency: alpha is 1."""
        colour = self._seen(latent)[:, :3]
        return torch.cat([colour, torch.ones_like(colour[:, :1])], dim=1)

    def _seen(self, latent: Tensor) -> Tensor:
        weight = cast("nn.Conv2d", self.net[0]).weight
        return cast("Tensor", self(latent.to(weight))).float().clamp(0, 1)


def preview_files(folder: Path) -> tuple[Path, Path]:
    """Where a model folder keeps the configuration and the weights."""
    return folder / "preview" / "config.json", folder / "preview" / "model.safetensors"
