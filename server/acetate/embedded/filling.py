"""A thing put into a selection: onto what goes on through it, in place of what lies within it.

All pictures are straight layers [1, 4, H, W] and masks [1, 1, H, W], in [0, 1].
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import adaptive_max_pool2d, avg_pool2d, interpolate, max_pool2d

from acetate.images.tensors import blended

DIFFERENT = 0.12
"""A place that differs so much from what its surroundings let expect shows something of its own."""
LEAST_HOLE = 32
"""The smallest side of a selection that a thing is put into, in pixels."""
_COARSE = 4
_SOFT = 9
_BORDER = 17
"""Squares of pixels: the blur of masks, and how far around a thing it is painted."""


def cleared(layer: Tensor, continued: Tensor, free: Tensor) -> Tensor:
    """The layer without what lies wholly within the free part; that is continued from around it.

    What the edge of the free part cuts (a horizon, grass, the thing that a selection lies on)
    goes on within it, and stays.
    """
    own = avg_pool2d(_difference(layer, continued) * (free > 0), _SOFT, 1, _SOFT // 2)
    sides = [max(1, side // _COARSE) for side in layer.shape[-2:]]
    something = (adaptive_max_pool2d(own, sides) > DIFFERENT).float()
    inside = -adaptive_max_pool2d(-(free > 0.5).float(), sides)
    held = 1 - adaptive_max_pool2d((free > 0.5).float(), sides)
    cut = something * max_pool2d(torch.maximum(held, 1 - inside), 3, 1, 1)
    while True:
        grown = max_pool2d(cut, 3, 1, 1) * something
        if torch.equal(grown, cut):
            break
        cut = grown
    lone = max_pool2d(something * (1 - cut), 5, 1, 2)
    replaced = interpolate(lone, layer.shape[-2:], mode="bilinear") * (free > 0)
    return blended(layer, continued, avg_pool2d(replaced, _SOFT, 1, _SOFT // 2))


def hole_of(free: Tensor) -> tuple[slice, slice] | None:
    """Rows and columns of the box around the free part; None where it is too small for a thing."""
    rows = (free[0, 0] > 0.5).any(1).nonzero().flatten()
    columns = (free[0, 0] > 0.5).any(0).nonzero().flatten()
    if min(len(rows), len(columns)) < LEAST_HOLE:
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def put_in(
    ground: Tensor, thing: Tensor, free: Tensor, place: tuple[slice, slice]
) -> tuple[Tensor, Tensor]:
    """The ground with a thing [1, 4, h, w] in its place, and where it may be painted anew."""
    over = torch.zeros_like(ground)
    over[..., place[0], place[1]] = thing.to(ground)
    shown = over[:, 3:] * (free > 0)
    alpha = shown + ground[:, 3:] * (1 - shown)
    colour = over[:, :3] * shown + ground[:, :3] * ground[:, 3:] * (1 - shown)
    straight = torch.where(alpha > 1e-3, colour / alpha.clamp_min(1e-3), ground[:, :3])
    near = max_pool2d((shown > 0.05).float(), _BORDER, 1, _BORDER // 2)
    soft = avg_pool2d(near, _SOFT, 1, _SOFT // 2)
    return torch.cat([straight.clamp(0, 1), alpha], dim=1), soft * (free > 0)


def _difference(one: Tensor, other: Tensor) -> Tensor:
    alpha = (one[:, 3:] - other[:, 3:]).abs()
    colour = (one[:, :3] * one[:, 3:] - other[:, :3] * other[:, 3:]).abs().amax(1, keepdim=True)
    return torch.maximum(alpha, colour)
