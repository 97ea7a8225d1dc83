"""What lies around a part of a layer that is to be painted: continued into it, matched to it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate, max_pool2d

_SEAM = 8
"""Pixels beyond the part in which what was painted is compared with what was there."""

_SURER = 4
"""How much more a known quarter of a place counts one level up: as much as all of it."""

_MOST_CORRECTED = 0.15
"""A larger difference at the seam is a line that was drawn elsewhere, not another tone."""


def continued(layer: Tensor, free: Tensor) -> Tensor:
    """A straight layer [1, 4, H, W] whose free part is filled from the rest, smoothly.

    `free` [1, 1, H, W] in [0, 1] is 1 where nothing of the layer counts. Without any rest that
    shows something the layer comes back as it is.
    """
    held = 1 - free
    known = held * layer[:, 3:]
    if not bool(known.any()):
        return layer
    alpha = spread(layer[:, 3:].expand(-1, 3, -1, -1), held)[:, :1]
    colour = spread(layer[:, :3], known)
    mixed = layer[:, 3:] * held + alpha * free
    rgb = (layer[:, :3] * known + colour * alpha * free) / mixed.clamp_min(1e-6)
    rgb = torch.where(mixed > 1e-3, rgb, colour)
    return torch.cat([torch.where(free > 0, rgb, layer[:, :3]), mixed], dim=1).clamp(0, 1)


def matched(painted: Tensor, layer: Tensor, free: Tensor) -> Tensor:
    """A painted layer [1, 4, H, W] brought to the tones that the layer has beside the free part.

    The model gives even what is held back a slightly other tone. That difference, known all
    along the seam, is taken off smoothly within it (as membrane interpolation does: Pérez,
    Gangnet and Blake 2003), so that no seam is seen.
    """
    near = max_pool2d((free > 0).float(), 2 * _SEAM + 1, stride=1, padding=_SEAM)
    beside = near * (free == 0)
    if not bool(beside.any()):
        return painted
    wrong = (layer - painted).clamp(-_MOST_CORRECTED, _MOST_CORRECTED)
    both_show = (layer[:, 3:] > 0.5) & (painted[:, 3:] > 0.5)
    colour = spread(wrong[:, :3], beside * both_show)
    alpha = spread(wrong[:, 3:].expand(-1, 3, -1, -1), beside)[:, :1]
    return (painted + torch.cat([colour, alpha], dim=1)).clamp(0, 1)


def spread(values: Tensor, weight: Tensor) -> Tensor:
    """Values [1, C, H, W] as far as their weight [1, 1, H, W] says, and continued elsewhere.

    From coarse to fine, as for hidden colour; but where a coarser picture knows a little of a
    place it believes that, so that what is near counts and not the whole picture.
    """
    weight = weight.to(values)
    levels = [(values * weight, weight)]
    while max(levels[-1][1].shape[-2:]) > 1:
        sides = [max(1, side // 2) for side in levels[-1][1].shape[-2:]]
        total, known = (interpolate(each, sides, mode="area") for each in levels[-1])
        surer = (known * _SURER).clamp_max(1) / known.clamp_min(1e-12)
        levels.append((total * surer, known * surer))
    total, known = levels.pop()
    filled = total / known.clamp_min(1e-12)
    for total, known in reversed(levels):
        filled = interpolate(filled, total.shape[-2:], mode="bilinear")
        filled = total + filled * (1 - known)
    return filled
