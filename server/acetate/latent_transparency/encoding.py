"""From a transparent layer to the latent that a diffusion model can work on."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from acetate.latent_transparency.colour import composite_on_grey, pad_colour
from acetate.latent_transparency.offset_encoder import OffsetEncoder
from acetate.latent_transparency.sizes import pad_to_multiple

Moments = Callable[[Tensor], tuple[Tensor, Tensor]]
"""A frozen autoencoder: RGB [B, 3, H, W] in [0, 1] to mean and standard deviation of the latent."""


def offset_feed(rgba: Tensor, *, alpha_last: bool = False) -> Tensor:
    """What the offset encoder sees: alpha and padded colour, [B, 4, H, W] in [0, 1].

    Alpha comes first, except for the Flux weights, which were trained with it last.
    """
    parts = [rgba[:, 3:], pad_colour(rgba)]
    return torch.cat(parts[::-1] if alpha_last else parts, dim=1)


def encode_with_offset(
    encoder: OffsetEncoder,
    rgba: Tensor,
    moments: Moments,
    *,
    factor: float = 300.0,
    scaled_by_std: bool = True,
    alpha_last: bool = False,
    size_multiple: int | None = None,
) -> Tensor:
    """The unscaled latent [B, C, h, w] of straight RGBA [B, 4, H, W] in [0, 1].

    The frozen autoencoder sees the layer on mid grey; the offset, times `factor` (300 for the
    published weights, whose last layer grew from zero), takes the place of the sampling noise:
    mean + std × factor × offset, or mean + factor × offset where not `scaled_by_std`. Nothing is
    random. Sides are padded with transparency to `size_multiple` (the encoder's own by default).
    """
    rgba = pad_to_multiple(rgba, size_multiple or encoder.size_multiple, "transparent")
    # Channels last, like the published code: group norms round differently in that layout, and
    # through a narrow autoencoder the difference grows to 3e-4.
    on_grey = composite_on_grey(rgba).contiguous(memory_format=torch.channels_last)
    mean, std = moments(on_grey)
    weight = next(encoder.parameters())
    feed = offset_feed(rgba, alpha_last=alpha_last)
    offset = encoder(feed.to(weight.device, weight.dtype)).to(mean.device, mean.dtype) * factor
    return mean + (std * offset if scaled_by_std else offset)
