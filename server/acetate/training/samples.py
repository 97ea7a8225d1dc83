"""Pictures of how a training stage is doing, and layers that the finished model paints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from acetate.models.families import FAMILIES
from acetate.pipelines.pipeline import Pipeline
from acetate.training.whole_files import written_whole

PAINTING = FAMILIES["embedded"]


def write_rows(file: Path, rows: list[Tensor]) -> None:
    """Write RGB rows, each [N, 3, H, W] in [0, 1], as one PNG. Raises CannotWrite."""
    stacked = [np.concatenate(list(row.permute(0, 2, 3, 1).numpy()), axis=1) for row in rows]
    # What is no number is black.
    tones = np.nan_to_num(np.concatenate(stacked, axis=0)).clip(0, 1)
    picture = (tones * 255 + 0.5).astype(np.uint8)
    written_whole(file, lambda part: Image.fromarray(picture).save(part, format="PNG"))


def paint_latent(pipeline: Pipeline, prompt: str, seed: int) -> Tensor:
    """The latent of one layer at the native size, painted as the family is painted by default."""
    size = pipeline.native
    return pipeline.denoise(
        pipeline.draw_noise(size, size, torch.Generator().manual_seed(seed)),
        pipeline.encode_prompt([prompt], [""]),
        steps=PAINTING.steps,
        guidance=PAINTING.guidance,
    )


def paint_layer(pipeline: Pipeline, prompt: str, seed: int) -> Tensor:
    """One layer at the native size, [1, 4, S, S] straight RGBA in [0, 1]."""
    latent = paint_latent(pipeline, prompt, seed)
    return pipeline.decode_layer(latent, passes=PAINTING.passes)
