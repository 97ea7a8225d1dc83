"""Halos: colour at the edge of a layer that is not the layer's own."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from acetate.latent_transparency import composite_over, pad_colour

BACKDROPS = {"black": 0.0, "white": 1.0}
SEEN = 0.06
"""Error of an edge that is seen on a backdrop as a fringe."""
_SOLID = 0.98
_EDGE = 3
"""Half the width of the edge band, in pixels."""


def halo_of(rgba: Tensor) -> float:
    """Mean error of the edge band on the worse backdrop, in [0, 1]; 0 where there is no edge.

    Straight [1, 4, H, W] in [0, 1]. The layer is compared with its own inside, bled outwards.
    """
    band = edge_band(rgba[:, 3:])
    if not bool(band.any()):
        return 0.0
    solid = (rgba[:, 3:] >= _SOLID).to(rgba.dtype)
    fill = pad_colour(torch.cat([rgba[:, :3], solid], dim=1))
    truth = torch.cat([fill, rgba[:, 3:]], dim=1)
    errors: list[float] = []
    for tone in BACKDROPS.values():
        backdrop = torch.full_like(rgba[:, :3], tone)
        difference = composite_over(rgba, backdrop) - composite_over(truth, backdrop)
        errors.append(float(difference.abs()[band.expand_as(difference)].mean()))
    return max(errors)


def edge_band(alpha: Tensor) -> Tensor:
    """Where solid and clear are within a few pixels of each other; bool of the shape of alpha."""
    size = 2 * _EDGE + 1
    near_solid = max_pool2d((alpha >= _SOLID).float(), size, 1, _EDGE) > 0
    near_clear = max_pool2d((alpha <= 1 - _SOLID).float(), size, 1, _EDGE) > 0
    return near_solid & near_clear
