"""The colour of what is in front, of a picture whose transparency is known.

A picture shows `alpha · front + (1 - alpha) · behind`; a layer that was cut out of it badly still
has the picture's colours at its edge. Both colours are found from coarse to fine, each as smooth
as the picture allows (Germer, Uelwer, Conrad and Harmeling, "Fast Multi-Level Foreground
Estimation", ICPR 2020; arXiv 2006.14970), written anew for layers whose hidden colour may be lost.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

_REGULARIZATION = 1e-5
"""How smooth both colours are where alpha is even (the paper's)."""

_COARSE = 32
"""Longest side, in pixels, up to which a level is solved thoroughly."""

_COARSE_ROUNDS, _FINE_ROUNDS = 20, 4
"""Rounds of a level: in each, every pixel is solved in view of its four neighbours."""

_BAND = 512
"""Rows that are solved at once, so that a large layer fits into memory."""

_FAINT = 0.3
"""Alpha below which a halo is nearly all behind."""

_ALIKE = 0.15
"""Largest difference, of 1, of a faint pixel from hidden ones beside it that go on as it does."""


@torch.inference_mode()
def front_colour(rgba: Tensor) -> Tensor:
    """What is in front [1, 3, H, W], of straight [1, 4, H, W] in [0, 1]; solid pixels as they are.

    What a layer hides (alpha 0) counts as behind only where it goes on as the faintest pixels do:
    many files have lost it.
    """
    rgb, alpha = rgba[:, :3], rgba[:, 3:]
    if not bool((alpha > 0).any()):
        return rgb
    known = _known(rgb, alpha)
    front = _average(rgb, alpha)
    behind = _average(rgb, (1 - alpha) * known)
    for height, width in _levels(*alpha.shape[-2:]):
        small = _reduced(rgb, alpha, known, (height, width))
        front, behind = (interpolate(each, (height, width)) for each in (front, behind))
        rounds = _COARSE_ROUNDS if max(height, width) <= _COARSE else _FINE_ROUNDS
        front, behind = _solved(*small, front, behind, rounds)
    return torch.where(alpha >= 1, rgb, front)


def _known(rgb: Tensor, alpha: Tensor) -> Tensor:
    """1 where the colour says something [1, 1, H, W]: everywhere, or wherever it shows."""
    shows = (alpha > 0).to(rgb)
    hidden = 1 - shows
    if not bool((rgb * hidden).any()):
        return shows  # Nothing is hidden but the black that files put there.
    around = avg_pool2d(pad(torch.cat([rgb * hidden, hidden], dim=1), (1, 1, 1, 1)), 3, stride=1)
    beside = (alpha > 0) & (alpha < _FAINT) & (around[:, 3:] > 0)
    if not bool(beside.any()):
        return shows
    mean = around[:, :3] / around[:, 3:].clamp_min(1e-6)
    apart = (rgb - mean).abs().amax(dim=1, keepdim=True)[beside]
    return torch.ones_like(shows) if float(apart.median()) < _ALIKE else shows


def _average(rgb: Tensor, weight: Tensor) -> Tensor:
    """The weighted mean colour [1, 3, 1, 1]; of everything without any weight."""
    if not bool((weight > 0).any()):
        weight = torch.ones_like(weight)
    return (rgb * weight).mean(dim=(2, 3), keepdim=True) / weight.mean(dim=(2, 3), keepdim=True)


def _levels(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes from a pixel up to the whole, each at most twice the one before."""
    count = max(1, (max(height, width) - 1).bit_length())
    return [
        (
            max(1, round(height ** (level / count))),
            max(1, round(width ** (level / count))),
        )
        for level in range(count + 1)
    ]


def _reduced(
    rgb: Tensor, alpha: Tensor, known: Tensor, size: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor]:
    if tuple(alpha.shape[-2:]) == size:
        return rgb, alpha, known
    share = interpolate(known, size, mode="area")
    mean = interpolate(rgb * known, size, mode="area") / share.clamp_min(1e-6)
    # The alpha of what is known alone: else a colour would be asked of two things it never was.
    veil = interpolate(alpha * known, size, mode="area") / share.clamp_min(1e-6)
    return mean, veil, share


def _solved(
    rgb: Tensor, alpha: Tensor, known: Tensor, front: Tensor, behind: Tensor, rounds: int
) -> tuple[Tensor, Tensor]:
    """Both colours of a level after some rounds, band by band with as much around as they see."""
    height = alpha.shape[-2]
    if height <= _BAND:
        return _rounds(rgb, alpha, known, front, behind, rounds)
    results = torch.empty_like(front), torch.empty_like(behind)
    for top in range(0, height, _BAND):
        bottom = min(top + _BAND, height)
        above, below = max(top - rounds, 0), min(bottom + rounds, height)
        rgb_, alpha_, known_, front_, behind_ = (
            each[..., above:below, :] for each in (rgb, alpha, known, front, behind)
        )
        part = _rounds(rgb_, alpha_, known_, front_, behind_, rounds)
        for result, solved in zip(results, part, strict=True):
            result[..., top:bottom, :] = solved[..., top - above : bottom - above, :]
    return results


def _rounds(
    rgb: Tensor, alpha: Tensor, known: Tensor, front: Tensor, behind: Tensor, rounds: int
) -> tuple[Tensor, Tensor]:
    weights = [_REGULARIZATION + (near - alpha).abs() for near in _beside(alpha)]
    total = sum(weights[1:], weights[0])
    rest = 1 - alpha
    own, other, mixed = known * alpha**2 + total, known * rest**2 + total, known * alpha * rest
    determinant = own * other - mixed**2
    for _ in range(rounds):
        right = known * alpha * rgb, known * rest * rgb
        first, second = (
            side + sum(weight * near for weight, near in zip(weights, _beside(each), strict=True))
            for side, each in zip(right, (front, behind), strict=True)
        )
        front = ((other * first - mixed * second) / determinant).clamp(0, 1)
        behind = ((own * second - mixed * first) / determinant).clamp(0, 1)
    return front, behind


def _beside(plane: Tensor) -> list[Tensor]:
    """The neighbours above, below, to the left and to the right; beyond the edge, the edge."""
    padded = pad(plane, (1, 1, 1, 1), mode="replicate")
    return [
        padded[..., :-2, 1:-1],
        padded[..., 2:, 1:-1],
        padded[..., 1:-1, :-2],
        padded[..., 1:-1, 2:],
    ]
