"""Reference numbers of the published code, and the seeded weights they were computed on.

The weights come from a counter-based generator whose raw stream is the same on every platform,
keyed by the hash of "tag|name": so any tensor can be made alone, in any order, bit for bit.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

DATA = Path(__file__).parent / "data"
TOLERANCE = 2e-4
SMALL = 2**13
"""Numbers in an array that is kept once it was drawn: many tests want the same tiny weights."""


def golden(name: str) -> dict[str, np.ndarray]:
    """The arrays of data/NAME.npz."""
    with np.load(DATA / f"{name}.npz") as arrays:
        return dict(arrays)


def listing(name: str) -> Any:
    """data/shapes/NAME.json: tensor names with their shapes, or a network configuration."""
    return json.loads((DATA / "shapes" / f"{name}.json").read_text())


def seeded_state(shapes: Mapping[str, list[int]], tag: str) -> dict[str, Tensor]:
    """Fake weights, fp32, that depend on nothing but the tag, the names and the shapes."""
    return {name: torch.from_numpy(seeded_array(tag, name, shapes[name])) for name in shapes}


def seeded_array(tag: str, name: str, shape: list[int]) -> np.ndarray:
    """Matrices keep the variance of their input; norm scales stay near 1, biases near 0."""
    noise = _noise(f"{tag}|{name}", shape)
    if len(shape) >= 2:
        gain = 0.25 if name.endswith("conv_out.weight") else 1.0
        return noise * np.float32(gain * math.sqrt(3.0 / math.prod(shape[1:])))
    if not shape:
        return np.asarray(np.float32(0.1) * noise)
    if name.endswith(".weight"):
        return np.float32(1) + np.float32(0.1) * noise
    middle = np.float32(0.5 if name.endswith("conv_out.bias") else 0.0)
    return np.float32(0.05) * noise + middle


def seeded_input(tag: str, shape: list[int], low: float = 0.0, high: float = 1.0) -> Tensor:
    """A uniform input between two bounds."""
    noise = _noise(f"input:{tag}|x", shape)
    half = np.float32(0.5 * (high - low))
    return torch.from_numpy((np.float32(low) + (noise + np.float32(1)) * half).astype(np.float32))


def _noise(label: str, shape: list[int]) -> np.ndarray:
    """Uniform in [-1, 1): the top 24 bits of each raw draw, exact in float32."""
    draw = _kept if math.prod(shape) <= SMALL else _drawn
    return draw(label, tuple(shape))


def _drawn(label: str, shape: tuple[int, ...]) -> np.ndarray:
    count = math.prod(shape)
    digest = hashlib.sha256(label.encode()).digest()
    generator = np.random.Philox(key=int.from_bytes(digest[:16], "little"))
    raw = generator.random_raw(max(count, 1))[:count]
    unit = (raw >> np.uint64(40)).astype(np.float32) / np.float32(2**23)
    noise = (unit - np.float32(1)).reshape(shape)
    noise.flags.writeable = False
    return noise


_kept = functools.lru_cache(8192)(_drawn)


def picture(kind: str, height: int, width: int) -> np.ndarray:
    """A procedural RGBA test image, uint8 [H, W, 4], in integer arithmetic throughout."""
    row, column = np.mgrid[:height, :width].astype(np.int64)
    middle_row, middle_column = height // 2, width // 2
    red = column * 255 // max(width - 1, 1)
    green = row * 255 // max(height - 1, 1)
    blue = (column * 7 + row * 13) % 256
    # 65536 where the ellipse touches the edge.
    distance = (row - middle_row) ** 2 * 65536 // max(middle_row, 1) ** 2 + (
        column - middle_column
    ) ** 2 * 65536 // max(middle_column, 1) ** 2
    alphas = {
        "blob": np.clip(255 - distance * 300 // 65536, 0, 255),
        "ring": np.clip(255 - np.abs(distance - 26000) * 255 // 20000, 0, 255),
        "opaque": np.full((height, width), 255),
        "empty": np.zeros((height, width)),
        "hard": np.where((column // 16 + row // 16) % 3 == 0, 255, 0),
        "tiny": np.where((row == middle_row) & (column == middle_column), 255, 0),
    }
    return np.stack([red, green, blue, alphas[kind]], axis=-1).astype(np.uint8)


def to_tensor(image: np.ndarray) -> Tensor:
    """uint8 [..., H, W, C] to fp32 [B, C, H, W] in [0, 1]."""
    batch = image.reshape(-1, *image.shape[-3:])
    return torch.from_numpy(batch.astype(np.float32) / 255).movedim(-1, 1).contiguous()


def difference(ours: Tensor | np.ndarray, theirs: np.ndarray) -> float:
    """The largest absolute difference; shapes have to agree."""
    ours = np.asarray(ours.detach() if isinstance(ours, Tensor) else ours)
    assert ours.shape == theirs.shape
    return float(np.abs(ours.astype(np.float64) - theirs.astype(np.float64)).max())
