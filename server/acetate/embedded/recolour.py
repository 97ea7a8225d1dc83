"""Give a drawing another colour or material: its dominant region only, so that a leaf stays green.

Colours are hue (degrees), saturation and value, 0 to 1, as in the HSV cone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Plane = NDArray[np.floating]

PAINTS: dict[str, tuple[float, float, float]] = {
    "red": (2, 0.85, 0.85),
    "orange": (28, 0.9, 0.97),
    "yellow": (50, 0.85, 0.98),
    "green": (115, 0.65, 0.65),
    "blue": (215, 0.8, 0.88),
    "purple": (275, 0.6, 0.72),
    "pink": (335, 0.5, 0.97),
    "brown": (24, 0.6, 0.5),
    "black": (230, 0.1, 0.2),
    "white": (40, 0.03, 0.97),
    "grey": (220, 0.05, 0.6),
    "golden": (44, 0.8, 0.93),
    "silver": (215, 0.07, 0.78),
    "turquoise": (178, 0.7, 0.8),
    "wooden": (28, 0.55, 0.62),
    "copper": (20, 0.62, 0.78),
    "bronze": (33, 0.62, 0.6),
    "iron": (220, 0.09, 0.4),
    "stone": (38, 0.1, 0.64),
    "rusty": (17, 0.7, 0.52),
}
"""The middle colour that a region gets; its shading stays."""

_NAMED_HUES = (
    ("red", 0.0), ("orange", 28.0), ("yellow", 52.0), ("green", 115.0), ("turquoise", 178.0),
    ("blue", 215.0), ("purple", 275.0), ("pink", 328.0), ("red", 360.0),
)  # fmt: skip
_STAINED = {"stone": 0.5, "rusty": 0.9}
"""Paints that are no plain colour, and how much lighter and darker their stains are."""
_LEAST_REGION = 0.03
_DOMINANT = 0.55
_NEAR_HUE = 10.0
"""Degrees between the mean hue of a drawing and that of a paint, for it to read as that paint."""
_HUELESS = 0.15
"""A paint, or a drawing, of less saturation has no hue."""


@dataclass(frozen=True)
class Region:
    """Weight [H, W] of the dominant region, its solid core, and whether it has a hue at all."""

    weight: Plane
    core: NDArray[np.bool_]
    vivid: bool
    share: float


def recolour(pixels: Pixels, paint: str) -> Pixels | None:
    """Straight RGBA [H, W, 4] in another of `PAINTS`; None where nothing can be coloured."""
    rgb = pixels[..., :3].astype(np.float32) / 255
    hue, saturation, value = _to_hsv(rgb)
    region = _dominant(hue, saturation, value, pixels[..., 3] > 127)
    if region.share < _LEAST_REGION:
        return None
    once = _painted(rgb, hue, saturation, value, region, paint)
    if _reads_as(once, pixels[..., 3] / 255, paint):
        return _with_alpha(once, pixels)
    # Its other colours outweigh the one that was asked for: they take it on too.
    hue, saturation, value = _to_hsv(once)
    away = np.abs((hue - PAINTS[paint][0] + 180) % 360 - 180)
    weight = _ramp(saturation, 0.1, 0.22) * _ramp(value, 0.2, 0.3)
    if PAINTS[paint][1] >= _HUELESS:
        weight = weight * _ramp(away, 8, 20)
    core = (weight > 0.5) & (pixels[..., 3] > 127)
    rest = Region(weight, core, True, float(core.sum()) / max(1, int((pixels[..., 3] > 127).sum())))
    if rest.share >= _LEAST_REGION:
        once = _painted(once, hue, saturation, value, rest, paint)
    return _with_alpha(once, pixels)


def _painted(
    rgb: Plane, hue: Plane, saturation: Plane, value: Plane, region: Region, paint: str
) -> Plane:
    """RGB [H, W, 3] with a region in another paint."""
    new_hue, new_saturation, middle = PAINTS[paint]
    usual = float(np.median(saturation[region.core]))
    if region.vivid and usual > 0.1:
        painted = (saturation * (new_saturation / usual)).clip(0, 1)
    else:
        painted = np.full_like(saturation, new_saturation)
    contrast = 0.6 if middle < 0.3 else 0.9
    lit = middle + (value - float(np.median(value[region.core]))) * contrast
    if paint == "wooden":
        lit = lit * (1 + 0.09 * _grain(*value.shape))
    elif paint in _STAINED:
        lit = lit * (1 + _STAINED[paint] * _stains(*value.shape))
    fresh = _to_rgb(np.full_like(hue, new_hue), painted, lit.clip(0.02, 1))
    weight = region.weight[..., None]
    return rgb * (1 - weight) + fresh * weight


def _reads_as(rgb: Plane, alpha: Plane, paint: str) -> bool:
    """Whether the mean of what can be seen, weighed by chroma, has nearly the hue of a paint."""
    new_hue, new_saturation, middle = PAINTS[paint]
    if new_saturation < _HUELESS:
        # Opposite hues cancel each other in a sum of directions, not here.
        chroma = float(((rgb.max(-1) - rgb.min(-1)) * alpha).sum()) / max(1e-6, float(alpha.sum()))
        return chroma < _HUELESS * middle
    red, green, blue = (float((rgb[..., channel] * alpha).sum()) for channel in range(3))
    along, across = red - (green + blue) / 2, (green - blue) * 3**0.5 / 2
    away = abs((float(np.degrees(np.arctan2(across, along))) - new_hue + 180) % 360 - 180)
    return away <= _NEAR_HUE


def aged(pixels: Pixels) -> Pixels:
    """Straight RGBA [H, W, 4], faded, yellowed and slightly stained."""
    hue, saturation, value = _to_hsv(pixels[..., :3].astype(np.float32) / 255)
    stains = _stains(value.shape[0], value.shape[1]) * 0.35 * (value > 0.3)
    faded = _to_rgb(hue, saturation * 0.5, (value * 0.82 + stains).clip(0, 1))
    sepia = faded.mean(-1, keepdims=True) * np.array([1.1, 0.97, 0.7], np.float32)
    return _with_alpha(faded * 0.8 + sepia * 0.2, pixels)


def colour_name(pixels: Pixels) -> str | None:
    """The word for the colour of most of a drawing; None where no colour dominates."""
    hue, saturation, value = _to_hsv(pixels[..., :3].astype(np.float32) / 255)
    region = _dominant(hue, saturation, value, pixels[..., 3] > 127)
    if region.share < _DOMINANT:
        return None
    middle = float(np.median(value[region.core]))
    if not region.vivid:
        return "white" if middle > 0.85 else "grey" if middle > 0.4 else "black"
    tone = float(np.median(hue[region.core]))
    if 12 < tone < 45 and middle < 0.68:
        return "brown"
    return min(_NAMED_HUES, key=lambda named: abs(named[1] - tone))[0]


def dominant_region(rgb: Plane, seen: NDArray[np.bool_]) -> Region | None:
    """The region of RGB [H, W, 3] in [0, 1] that a colour word changes; None where it is small."""
    region = _dominant(*_to_hsv(rgb), seen)
    return None if region.share < _LEAST_REGION else region


def _dominant(hue: Plane, saturation: Plane, value: Plane, seen: NDArray[np.bool_]) -> Region:
    visible = max(1, int(seen.sum()))
    vivid = seen & (saturation > 0.22) & (value > 0.2)
    pale = seen & (saturation <= 0.22) & (value > 0.35)
    coloured = not (vivid.sum() < 0.06 * visible or pale.sum() > 3 * vivid.sum())
    if coloured:
        bins = np.bincount((hue[vivid] / 4).astype(int) % 90, minlength=90).astype(float)
        smooth = sum((5 - abs(shift)) * np.roll(bins, shift) for shift in range(-4, 5))
        peak = int(np.argmax(smooth)) * 4 + 2
        distance = np.abs((hue - peak + 180) % 360 - 180)
        weight = (1 - _ramp(distance, 28, 48)) * _ramp(saturation, 0.1, 0.22)
    else:
        weight = (1 - _ramp(saturation, 0.18, 0.3)) * _ramp(value, 0.25, 0.42)
    core = (weight > 0.5) & seen
    return Region(weight, core, coloured, float(core.sum()) / visible)


def _ramp(x: Plane, low: float, high: float) -> Plane:
    share = ((x - low) / (high - low)).clip(0, 1)
    return share * share * (3 - 2 * share)


def _grain(height: int, width: int) -> Plane:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / height
    coarse = np.sin((26 * x + 3 * np.sin(5 * y)) * np.pi)
    return coarse + 0.5 * np.sin((61 * x + 2 * np.sin(7 * y + 1)) * np.pi)


def _stains(height: int, width: int) -> Plane:
    random = np.random.default_rng(0)
    total = np.zeros((height, width), np.float32)
    for cells, share in ((7, 0.5), (19, 0.35), (60, 0.15)):
        noise = Image.fromarray(random.random((cells, cells)).astype(np.float32))
        total += share * np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC))
    return total - 0.5


def _with_alpha(rgb: Plane, pixels: Pixels) -> Pixels:
    return np.dstack([(rgb.clip(0, 1) * 255 + 0.5).astype(np.uint8), pixels[..., 3]])


def _to_hsv(rgb: Plane) -> tuple[Plane, Plane, Plane]:
    high, low = rgb.max(-1), rgb.min(-1)
    spread = high - low
    saturation = np.where(high > 0, spread / np.maximum(high, 1e-6), 0)
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    safe = np.maximum(spread, 1e-6)
    where = cast("Any", np.where)  # It leaves open which floats it returns.
    sector: Plane = where(
        high == red,
        ((green - blue) / safe) % 6,
        where(high == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    return where(spread > 0, sector * 60, 0), saturation, high


def _to_rgb(hue: Plane, saturation: Plane, value: Plane) -> Plane:
    def channel(offset: int) -> Plane:
        sector = (offset + hue / 60) % 6
        return value - value * saturation * np.minimum(sector, 4 - sector).clip(0, 1)

    return np.stack([channel(5), channel(3), channel(1)], axis=-1)
