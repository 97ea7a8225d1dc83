"""Separable resampling with the exact kernels of the resizer that the published models saw.

Each kernel is a table of taps per output pixel along one axis, so that one small loop serves
them all, on any device and in any batch. Edges repeat the border pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor

Kernel = Literal["area", "linear", "lanczos4"]


@dataclass(frozen=True)
class Taps:
    """For each of N outputs, K source indices and their weights; both arrays are [N, K]."""

    indices: np.ndarray
    weights: np.ndarray


def resample(image: Tensor, height: int, width: int, kernel: Kernel) -> Tensor:
    """Resize [..., H, W] to [..., height, width]; the result is not clipped.

    "area" averages what each output pixel covers (for enlarging along an axis it falls back to
    nearest with a linear seam, as the original does), "linear" takes two taps, "lanczos4" eight.
    """
    source_height, source_width = image.shape[-2:]
    if (source_height, source_width) == (height, width):
        return image
    shrinks = source_height >= height and source_width >= width
    image = _columns(image, _taps(kernel, source_width, width, shrinks))
    return _rows(image, _taps(kernel, source_height, height, shrinks)).contiguous()


def _rows(image: Tensor, taps: Taps) -> Tensor:
    indices = torch.as_tensor(taps.indices).to(image.device)
    weights = torch.as_tensor(taps.weights).to(image.device, image.dtype).unsqueeze(-1)
    total = image.index_select(-2, indices[:, 0]) * weights[:, 0]
    for tap in range(1, indices.shape[1]):
        total.addcmul_(image.index_select(-2, indices[:, tap]), weights[:, tap])
    return total


def _columns(image: Tensor, taps: Taps) -> Tensor:
    # Whole rows are gathered several times as fast as single pixels.
    return _rows(image.transpose(-1, -2).contiguous(), taps).transpose(-1, -2)


@lru_cache(maxsize=256)
def _taps(kernel: Kernel, source: int, target: int, shrinks: bool) -> Taps:
    if kernel == "area":
        return _area(source, target) if shrinks else _area_enlarged(source, target)
    if kernel == "linear":
        return _linear(source, target)
    return _lanczos4(source, target)


def _area(source: int, target: int) -> Taps:
    scale = source / target
    outputs = np.arange(target)
    start, end = outputs * scale, np.minimum((outputs + 1) * scale, source)
    first = np.floor(start + 1e-9).astype(np.int64)
    count = math.ceil(scale) + 1
    indices = first[:, None] + np.arange(count)
    cover = np.minimum(indices + 1, end[:, None]) - np.maximum(indices, start[:, None])
    weights = np.clip(cover, 0, None)
    weights /= weights.sum(axis=1, keepdims=True)
    return _clamped(indices, weights, source)


def _area_enlarged(source: int, target: int) -> Taps:
    scale = source / target
    outputs = np.arange(target)
    first = np.floor(outputs * scale).astype(np.int64)
    share = (outputs + 1) - (first + 1) / scale
    share = np.where(share <= 0, 0, share - np.floor(share))
    return _clamped(np.stack([first, first + 1], 1), np.stack([1 - share, share], 1), source)


def _linear(source: int, target: int) -> Taps:
    centre = (np.arange(target) + 0.5) * (source / target) - 0.5
    first = np.floor(centre).astype(np.int64)
    share = centre - first
    return _clamped(np.stack([first, first + 1], 1), np.stack([1 - share, share], 1), source)


def _lanczos4(source: int, target: int) -> Taps:
    centre = (np.arange(target) + 0.5) * (source / target) - 0.5
    first = np.floor(centre).astype(np.int64)
    offsets = np.arange(-3, 5)
    distance = (centre - first)[:, None] - offsets
    weights = np.sinc(distance) * np.sinc(distance / 4)
    weights /= weights.sum(axis=1, keepdims=True)
    return _clamped(first[:, None] + offsets, weights, source)


def _clamped(indices: np.ndarray, weights: np.ndarray, source: int) -> Taps:
    return Taps(np.clip(indices, 0, source - 1), weights)
