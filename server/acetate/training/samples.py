"""Pictures of how a training stage is doing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor


def write_rows(file: Path, rows: list[Tensor]) -> None:
    """Write RGB rows, each [N, 3, H, W] in [0, 1], as one PNG."""
    stacked = [np.concatenate(list(row.permute(0, 2, 3, 1).numpy()), axis=1) for row in rows]
    picture = (np.concatenate(stacked, axis=0).clip(0, 1) * 255 + 0.5).astype(np.uint8)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(file)
