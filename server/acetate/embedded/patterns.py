"""Stripes, spots and glass laid over a drawing: what a prompt says of it beyond its colour."""

from __future__ import annotations

import numpy as np

from acetate.embedded.recolour import Pixels, Plane, dominant_region

WHITE, DARK = (0.97, 0.97, 0.96), (0.22, 0.26, 0.38)
"""What is laid over a colour, and over what is pale itself."""
ACROSS = 4.5
"""Stripes, or spots, across a thing: finer ones melt in the latent."""
CLEAR = 0.5
"""The share of its alpha that glass keeps."""
TINT = (0.78, 0.9, 0.94)


def patterned(pixels: Pixels, pattern: str) -> Pixels:
    """Straight RGBA [H, W, 4] with its dominant region “striped” or “spotted”."""
    rgb, seen = pixels[..., :3].astype(np.float32) / 255, pixels[..., 3] > 127
    region = dominant_region(rgb, seen)
    if region is None:
        return pixels
    value = rgb.max(-1)
    middle = float(np.median(value[region.core]))
    over = np.array(WHITE if region.vivid or middle < 0.6 else DARK, np.float32)
    shading = (1 + (value - middle) * 0.5)[..., None]
    weight = (region.weight * _pattern(seen, pattern))[..., None]
    laid = rgb * (1 - weight) + (over * shading).clip(0, 1) * weight
    return np.dstack([(laid * 255 + 0.5).astype(np.uint8), pixels[..., 3]])


def glassy(pixels: Pixels, coloured: bool) -> Pixels:
    """Straight RGBA [H, W, 4] that can be seen through; tinted like glass unless coloured."""
    rgb = pixels[..., :3].astype(np.float32) / 255
    if not coloured:
        rgb = rgb * 0.4 + np.array(TINT, np.float32) * 0.6
    alpha = (pixels[..., 3] * CLEAR + 0.5).astype(np.uint8)
    return np.dstack([(rgb * 255 + 0.5).astype(np.uint8), alpha])


def _pattern(seen: np.ndarray, pattern: str) -> Plane:
    """1 where something is laid over, with soft edges, [H, W]; it begins where the thing does."""
    columns, rows = np.flatnonzero(seen.any(0)), np.flatnonzero(seen.any(1))
    left, top, width = columns[0], rows[0], columns[-1] + 1 - columns[0]
    y, x = np.mgrid[: seen.shape[0], : seen.shape[1]].astype(np.float32)
    pitch = max(4.0, width / ACROSS)
    across, along = (x - left) / pitch, (y - top) / pitch
    if pattern == "striped":
        away = np.abs(across % 1 - 0.5) - 0.25
    else:
        across = across + 0.5 * (np.floor(along) % 2)
        away = np.hypot(across % 1 - 0.5, along % 1 - 0.5) - 0.3
    return (0.5 - away * pitch / 2).clip(0, 1)
