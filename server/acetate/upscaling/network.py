"""The compact upscaling network of Real-ESRGAN.

A straight chain of 3 × 3 convolutions works at the picture's own size, and its last map is
shuffled into 4 × 4 pixels; the picture itself, enlarged by repetition, is added. After Wang et
al., "Real-ESRGAN" (2021), where the class is called SRVGGNetCompact; names of weights are theirs.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle

from acetate.models.weights import fill, in_channels_last

WIDTH = 64
HIDDEN = 16
"""Convolutions between the first and the last."""

INNER_SCALE = 4
"""The factor that the network works at; a smaller one is reached by halving its result."""

REACH = HIDDEN + 2 + 1
"""How many pixels away the picture can still change a pixel: one for each convolution, and one
for the halving."""

SCALES = (2, 4)
WEIGHTS = Path(__file__).parents[1] / "embedded" / "upscaler"


class CompactUpscaler(nn.Module):
    """Enlarges colour [B, 3, H, W] in [0, 1] to [B, 3, scale × H, scale × W], not clipped.

    `scale` is 2 or 4.
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale
        layers: list[nn.Module] = [nn.Conv2d(3, WIDTH, 3, padding=1), nn.PReLU(WIDTH)]
        for _ in range(HIDDEN):
            layers += [nn.Conv2d(WIDTH, WIDTH, 3, padding=1), nn.PReLU(WIDTH)]
        layers.append(nn.Conv2d(WIDTH, 3 * INNER_SCALE**2, 3, padding=1))
        self.body = nn.ModuleList(layers)

    def forward(self, rgb: Tensor) -> Tensor:
        map_ = rgb
        for layer in self.body:
            map_ = layer(map_)
        enlarged = pixel_shuffle(map_, INNER_SCALE)
        enlarged += interpolate(rgb, scale_factor=INNER_SCALE, mode="nearest")
        if self.scale == INNER_SCALE:
            return enlarged
        return interpolate(enlarged, scale_factor=self.scale / INNER_SCALE, mode="bicubic")


def weights_of(scale: int) -> Path:
    """The file of the shipped weights for a scale of 2 or 4."""
    return WEIGHTS / f"realesr-animevideov3-x{scale}.safetensors"


@cache
def load_upscaler(scale: int, device: torch.device) -> CompactUpscaler:
    """The shipped network for a scale of 2 or 4. Raises ModelMissing or ModelDamaged."""
    upscaler = CompactUpscaler(scale)
    dtype = torch.float32 if device.type == "cpu" else torch.float16
    fill(upscaler, weights_of(scale), device, dtype)
    return in_channels_last(upscaler)
