"""What is measured, and its rivals: each gives back a layer that it was given."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from acetate.latent_transparency.colour import GREY
from acetate.pipelines.pipeline import Pipeline
from acetate.training.batches import over

RoundTrip = Callable[[Tensor], Tensor]
"""Straight [1, 4, H, W] in [0, 1], in and out."""

Matte = Callable[[Tensor], Tensor]
"""An opaque picture [1, 3, H, W] in [0, 1] to its alpha [1, 1, H, W]."""


def with_pair(pipeline: Pipeline, passes: int) -> RoundTrip:
    """By the transparency of a pipeline."""
    return lambda rgba: pipeline.decode_layer(pipeline.encode_layer(rgba), passes).float().cpu()


def plain_autoencoder(pipeline: Pipeline) -> RoundTrip:
    """Colour on grey and alpha as a picture of its own, each through the bare autoencoder."""

    def trip(rgba: Tensor) -> Tensor:
        alpha = rgba[:, 3:].expand(-1, 3, -1, -1)
        seen = [
            pipeline.decode_image(pipeline.encode_image(picture)).float().cpu().clamp(0, 1)
            for picture in (over(rgba, GREY), alpha)
        ]
        return _straight(seen[0], seen[1].mean(1, keepdim=True))

    return trip


def generate_then_matte(pipeline: Pipeline, matte: Matte) -> RoundTrip:
    """The picture on grey through the bare autoencoder, and alpha from a matting model."""

    def trip(rgba: Tensor) -> Tensor:
        seen = pipeline.decode_image(pipeline.encode_image(over(rgba, GREY)))
        return matted(seen.float().cpu().clamp(0, 1), matte)

    return trip


def matted(picture: Tensor, matte: Matte) -> Tensor:
    """An opaque picture with the alpha that a matting model sees in it."""
    return torch.cat([picture, matte(picture)], dim=1)


def _straight(on_grey: Tensor, alpha: Tensor) -> Tensor:
    """Colour off the grey that it lies on."""
    colour = (on_grey - GREY) / alpha.clamp_min(1 / 255) + GREY
    return torch.cat([colour.clamp(0, 1), alpha], dim=1)
