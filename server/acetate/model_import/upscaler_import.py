"""Taking over an upscaler: seen to enlarge a picture before it is taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from acetate.models.recognition_error import NotRecognised
from acetate_bridge.protocol.limits import SCALES

_SIDE = 24
"""Of the picture that it is tried on, in pixels; no multiple of the windows that some work in."""


def examine_upscaler(file: Path, name: str) -> dict[str, Any]:
    """What is to be remembered of an upscaler, as fields of `Own`.

    Raises NotRecognised, ModelDamaged.
    """
    import torch

    from acetate.models.weights import read_weights
    from acetate.upscaling.foreign_upscalers import read_upscaler

    upscaler = read_upscaler(read_weights(file), name)
    scales = [scale for scale in SCALES if scale <= upscaler.scale]
    if not scales:
        raise NotRecognised(f"{name} makes pictures better but not larger.")
    side = _SIDE + 1
    with torch.inference_mode():
        tried = upscaler.enlarge(torch.full((1, 3, _SIDE, side), 0.5), scales[-1])
    if tried.shape != (1, 3, _SIDE * scales[-1], side * scales[-1]) or not tried.isfinite().all():
        raise NotRecognised(f"{name} was tried, and what came of it is no enlarged picture.")
    note = f"Enlarge with it: acetate generate upscale LAYER --scale {scales[-1]} --model NAME"
    return {"facts": {"scale": upscaler.scale}, "notes": (note,)}
