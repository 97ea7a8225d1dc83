"""Drawings with true transparency, as they ship in the memory of the embedded model."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import acetate

_ARCHIVE = Path(acetate.__file__).parent / "embedded" / "model" / "memory" / "drawings.zip"


def drawings(count: int, seed: int = 0) -> Iterator[Tensor]:
    """So many, drawn by chance: straight [1, 4, 256, 256] in [0, 1]."""
    with ZipFile(_ARCHIVE) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".webp"))
        for name in np.random.default_rng(seed).choice(names, count, replace=False):
            with Image.open(io.BytesIO(archive.read(name))) as picture:
                samples = np.asarray(picture.convert("RGBA"), np.float32) / 255
            yield torch.as_tensor(samples).permute(2, 0, 1)[None]
