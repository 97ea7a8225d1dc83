"""Ways in which a family's latents hold a layer, beside the published pair of LayerDiffuse.

Pictures are [B, 3 or 4, H, W] in [0, 1], layers straight [B, 4, H, W], latents as an autoencoder
gives and takes them, unscaled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from acetate.images.tensors import opaque
from acetate.latent_transparency import composite_on_grey

Moments = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Mean and deviation of the latent of what an autoencoder is shown."""

AlphaKind = Literal["straight", "premultiplied"]

_LEAST = 1 / 255
"""Alpha below which no colour can be told."""


class Transparency(Protocol):
    """How layers go into latents and come out again."""

    @property
    def modules(self) -> list[nn.Module]:
        """Networks beside the autoencoder."""
        ...

    @property
    def files(self) -> Sequence[Path]:
        """What it was read from."""
        ...

    def picture(self, rgb: Tensor) -> Tensor:
        """An opaque picture as the autoencoder wants to see it."""
        ...

    def encode(self, rgba: Tensor, moments: Moments) -> Tensor:
        """The latent of a layer."""
        ...

    def decode(self, pixels: Tensor, latent: Tensor, passes: int, chunk_pixels: int) -> Tensor:
        """The layer in a latent, of which the autoencoder has made these pixels."""
        ...


@dataclass(frozen=True)
class NoTransparency:
    """A base that knows colours alone."""

    modules: list[nn.Module]
    files: Sequence[Path] = ()

    def picture(self, rgb: Tensor) -> Tensor:
        return rgb

    def encode(self, rgba: Tensor, moments: Moments) -> Tensor:
        return moments(composite_on_grey(rgba))[0]

    def decode(self, pixels: Tensor, latent: Tensor, passes: int, chunk_pixels: int) -> Tensor:
        return opaque(pixels[:, :3].clamp(0, 1))


@dataclass(frozen=True)
class WidenedAutoencoder:
    """An autoencoder with a fourth channel at both its ends, in place of the base's own."""

    alpha: AlphaKind
    modules: list[nn.Module]
    files: Sequence[Path] = ()

    def picture(self, rgb: Tensor) -> Tensor:
        return opaque(rgb)

    def encode(self, rgba: Tensor, moments: Moments) -> Tensor:
        if self.alpha == "premultiplied":
            rgba = torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], dim=1)
        return moments(rgba)[0]

    def decode(self, pixels: Tensor, latent: Tensor, passes: int, chunk_pixels: int) -> Tensor:
        rgba = pixels.clamp(0, 1)
        return unmultiplied(rgba) if self.alpha == "premultiplied" else rgba


@dataclass(frozen=True)
class AlphaDecoder:
    """A decoder that sees alpha in the latent of a picture, beside the untouched autoencoder."""

    decoder: nn.Module
    alpha: AlphaKind
    files: Sequence[Path] = ()

    @property
    def modules(self) -> list[nn.Module]:
        return [self.decoder]

    def picture(self, rgb: Tensor) -> Tensor:
        return rgb

    def encode(self, rgba: Tensor, moments: Moments) -> Tensor:
        return moments(composite_on_grey(rgba))[0]

    def decode(self, pixels: Tensor, latent: Tensor, passes: int, chunk_pixels: int) -> Tensor:
        weight = next(self.decoder.parameters())
        told = self.decoder(latent.to(weight.device, weight.dtype)).float().mean(1, keepdim=True)
        alpha = (told * 0.5 + 0.5).clamp(0, 1).to(pixels.device)
        rgba = torch.cat([pixels[:, :3].clamp(0, 1), alpha], dim=1)
        return unmultiplied(rgba) if self.alpha == "premultiplied" else rgba


def unmultiplied(rgba: Tensor) -> Tensor:
    """A layer with straight colours of one whose colours are multiplied by its alpha."""
    alpha = rgba[:, 3:]
    colour = (rgba[:, :3] / alpha.clamp_min(_LEAST)).clamp(0, 1)
    return torch.cat([torch.where(alpha < _LEAST, rgba[:, :3], colour), alpha], dim=1)
