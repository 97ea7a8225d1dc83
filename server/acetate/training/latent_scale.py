"""The scale that brings the autoencoder's latents to the unit spread that diffusion works in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .dataset import read_picture_set
from .losses import quick_padding
from .transparency import Transparency

MEASURED = 256
"""Pictures that the scale is measured on."""


@dataclass(frozen=True)
class LatentScale:
    """Maps the autoencoder's latent to unit spread: (latent - shift) × factor."""

    shift: float
    factor: float

    @staticmethod
    def of(latents: Tensor) -> LatentScale:
        """The scale that brings these latents to mean 0 and spread 1."""
        values = latents.float()
        return LatentScale(float(values.mean()), float(1 / values.std()))

    def apply(self, latents: Tensor) -> Tensor:
        """To the diffusion space."""
        return (latents.float() - self.shift) * self.factor

    def undo(self, latents: Tensor) -> Tensor:
        """Back to the autoencoder's latent."""
        return latents / self.factor + self.shift


@torch.no_grad()
def scale_of(pair: Transparency, data: Path) -> LatentScale:
    """Measured on training pictures spread evenly over the set in `data`."""
    pictures = read_picture_set(data)
    rows = pictures.rows("train")
    rows = rows[:: max(1, len(rows) // MEASURED)][:MEASURED]
    latents: list[Tensor] = []
    for row in rows:
        pixels = torch.as_tensor(np.array(pictures.pixels[row]))
        rgba = pixels.permute(2, 0, 1)[None].float() / 255
        latent, offset = pair.encode(rgba, quick_padding(rgba))
        latents.append(latent + offset)
    return LatentScale.of(torch.cat(latents))
