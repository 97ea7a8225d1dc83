"""The four errors of alpha that matting is measured by (Rhemann et al., CVPR 2009)."""

from __future__ import annotations

from math import ceil, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from acetate.evaluation.components import largest_part

Plane = NDArray[np.float64]
"""Alpha [H, W] in [0, 1]."""

GRADIENT_SIGMA = 1.4
_LEVEL = 0.1
_NEAR = 0.15
"""A difference from the connected level below which a pixel counts as connected."""


def absolute_error(found: Plane, truth: Plane) -> float:
    """SAD: the sum of differences, in thousands."""
    return float(np.abs(found - truth).sum() / 1000)


def squared_error(found: Plane, truth: Plane) -> float:
    """MSE: the mean of squared differences."""
    return float(((found - truth) ** 2).mean())


def gradient_error(found: Plane, truth: Plane) -> float:
    """Grad: the sum of squared differences of smooth slopes, in thousands."""
    return float(((_slope(found) - _slope(truth)) ** 2).sum() / 1000)


def connectivity_error(found: Plane, truth: Plane) -> float:
    """Conn: how differently pixels hang on the largest solid part, in thousands."""
    levels = np.arange(0, 1 + _LEVEL, _LEVEL)
    connected = np.full(truth.shape, -1.0)
    for below, level in zip(levels, levels[1:], strict=False):
        part = largest_part((found >= level) & (truth >= level))
        connected[(connected == -1) & ~part] = below
    connected[connected == -1] = 1
    degrees = [1 - (d := plane - connected) * (d >= _NEAR) for plane in (found, truth)]
    return float(np.abs(degrees[0] - degrees[1]).sum() / 1000)


def _slope(plane: Plane) -> Plane:
    """Length of the gradient by derivatives of a Gaussian."""
    smooth, steep = _kernels()
    across = _filtered(_filtered(plane, steep).T, smooth).T
    down = _filtered(_filtered(plane, smooth).T, steep).T
    return np.hypot(across, down)


def _kernels() -> tuple[Plane, Plane]:
    """Of one side: a Gaussian and its derivative, so that the square's norm is 1."""
    sigma = GRADIENT_SIGMA
    reach = ceil(sigma * sqrt(-2 * log(sqrt(2 * pi) * sigma * 0.01)))
    x = np.arange(-reach, reach + 1)
    smooth = np.exp(-(x**2) / (2 * sigma**2)) / (sigma * sqrt(2 * pi))
    steep = -x * smooth / sigma**2
    norm = np.sqrt((np.outer(smooth, steep) ** 2).sum())
    return smooth, steep / norm


def _filtered(plane: Plane, kernel: Plane) -> Plane:
    """Convolved along the rows, the border repeated."""
    reach = len(kernel) // 2
    padded = np.pad(plane, ((0, 0), (reach, reach)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(kernel), axis=1)
    return windows @ kernel[::-1]
