"""Whether a background is really painted for the layer that stands in it.

The same scene is painted twice from the same noise: once for a layer that stands to one side, once
for its mirror image. Where the layer stands, the ground should carry its contact shadow, so that
place should be darker than in the picture painted for the mirrored layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from acetate.models.families import FAMILIES
from acetate.modes.decompose import at_size
from acetate.pipelines.pipeline import Pipeline

from .dataset import PictureSet

PAINTING = FAMILIES["embedded"]
PROMPTS = (
    "green hills under a blue sky",
    "a sandy beach under a blue sky",
    "a snowy field under a cloudy sky",
    "a room with a yellow wall and a wooden floor",
    "a plain white background",
    "a meadow with flowers at sunset",
)


@dataclass(frozen=True)
class Grounding:
    """How often the ground is darker under the subject than without it, and by how much (0 to 1).

    Chance is a share of 0.5 and a shade of 0.
    """

    scenes: int
    share: float
    shade: float


def measure_grounding(pipeline: Pipeline, pictures: PictureSet, scenes: int) -> Grounding:
    """Paint `scenes` pairs around held-out layers (held-out concepts, known prompts)."""
    rows = pictures.rows("concept")
    rows = rows[:: max(1, len(rows) // scenes)][:scenes]
    shades = [
        _shade(pipeline, np.asarray(pictures.pixels[row]), PROMPTS[number % len(PROMPTS)], number)
        for number, row in enumerate(rows)
    ]
    return Grounding(len(shades), float(np.mean(np.array(shades) > 0)), float(np.mean(shades)))


def _shade(pipeline: Pipeline, pixels: NDArray[np.uint8], prompt: str, seed: int) -> float:
    layer = at_size(_aside(pixels), pipeline.native, pipeline.native)
    frames = torch.cat([layer, layer.flip(-1)])
    size = layer.shape[-1]
    generator = torch.Generator().manual_seed(seed)
    noise = pipeline.draw_noise(size, size, generator).expand(2, -1, -1, -1)
    painted = pipeline.decode_image(
        pipeline.denoise(
            noise,
            pipeline.encode_prompt([prompt, prompt], ["", ""]),
            steps=PAINTING.steps,
            guidance=PAINTING.guidance,
            patch=pipeline.patch_for("background"),
            conditions=[pipeline.encode_layer(frames)],
        )
    )
    under = _under(layer[0, 3])
    grey = painted.mean(1)
    return float(grey[1][under].mean() - grey[0][under].mean())


def _aside(pixels: NDArray[np.uint8]) -> Tensor:
    """The layer at half size, standing at the lower left of its frame, [1, 4, S, S] in [0, 1]."""
    size = pixels.shape[0]
    small = Image.fromarray(pixels).convert("RGBa").resize((size // 2, size // 2))
    frame = Image.new("RGBa", (size, size))
    frame.paste(small, (0, size * 3 // 8))
    rgba = np.array(frame.convert("RGBA"))
    return torch.as_tensor(rgba).permute(2, 0, 1)[None].float() / 255


def _under(alpha: Tensor) -> Tensor:
    """A band as wide as the subject, from just above to just below its foot; bool [S, S]."""
    solid = alpha > 0.5
    rows, columns = solid.any(1).nonzero(), solid.any(0).nonzero()
    foot, size = int(rows.max()), alpha.shape[0]
    band = torch.zeros_like(solid)
    band[foot - size // 32 : foot + size // 20, int(columns.min()) : int(columns.max()) + 1] = True
    return band
