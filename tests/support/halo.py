"""Measuring halos: colour at the edge of a layer that is not the layer's own."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from acetate.latent_transparency import composite_over, pad_colour

BACKDROPS = {"black": (0.0, 0.0, 0.0), "white": (1.0, 1.0, 1.0), "magenta": (1.0, 0.0, 1.0)}
_SOLID = 0.98
_EDGE = 3
"""Half the width of the edge band, in pixels."""


def bled(rgba: Tensor) -> Tensor:
    """The layer with the colour of its solid inside continued outwards over its own alpha."""
    solid = (rgba[:, 3:] >= _SOLID).to(rgba.dtype)
    fill = pad_colour(torch.cat([rgba[:, :3], solid], dim=1))
    return torch.cat([fill, rgba[:, 3:]], dim=1)


def edge_band(alpha: Tensor) -> Tensor:
    """Where solid and clear are within a few pixels of each other; bool of the shape of alpha."""
    size = 2 * _EDGE + 1
    near_solid = max_pool2d((alpha >= _SOLID).float(), size, 1, _EDGE) > 0
    near_clear = max_pool2d((alpha <= 1 - _SOLID).float(), size, 1, _EDGE) > 0
    return near_solid & near_clear


def halo(rgba: Tensor, truth: Tensor | None = None) -> dict[str, float]:
    """Mean absolute error of the edge band on each backdrop, against the colour-bled truth.

    `rgba` is straight alpha [1, 4, H, W] in [0, 1]. Without a `truth` of the same kind, the
    layer is compared with its own inside, bled outwards.
    """
    truth = bled(rgba) if truth is None else truth
    band = edge_band(truth[:, 3:])
    if not band.any():
        raise ValueError("the layer has no edge between solid and clear")
    errors: dict[str, float] = {}
    for name, colour in BACKDROPS.items():
        backdrop = torch.tensor(colour)[None, :, None, None].expand(1, 3, *rgba.shape[-2:])
        difference = composite_over(rgba, backdrop) - composite_over(truth, backdrop)
        errors[name] = float(difference.abs()[band.expand_as(difference)].mean())
    return errors
