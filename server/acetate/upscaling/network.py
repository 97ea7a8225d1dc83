"""The compact upscaling network of Real-ESRGAN.

A straight chain of 3 × 3 convolutions works at the picture's own size, and its last map is
shuffled into 4 × 4 pixels; the picture itself, enlarged by repetition, is added. After Wang et
al., "Real-ESRGAN" (2021), where the class is called SRVGGNetCompact; names of weights are theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle

from acetate.models.weights import fill, in_channels_last
from acetate.upscaling.freed_memory import keep_freed_memory

WIDTH = 64
HIDDEN = 16
"""Convolutions between the first and the last."""

INNER_SCALE = 4
"""The factor that the network works at; a smaller one is reached by halving its result."""

REACH = HIDDEN + 2 + 2
"""How many pixels away the picture can still change a pixel: one for each convolution, one for the
halving, and one for what brings the result back to the picture's broad colours."""

TILE = 512
"""Side of a tile before enlarging: its maps take 64 MiB each, and the overlap costs a seventh."""

SCALES = (2, 4)
WEIGHTS = Path(__file__).parents[1] / "embedded" / "upscaler"


class CompactUpscaler(nn.Module):
    """Enlarges colour [B, 3, H, W] in [0, 1] to [B, 3, scale × H, scale × W], not clipped.

    It works at the factor `inner`, with `hidden` convolutions of `width` between first and last.
    """

    def __init__(
        self, scale: int, width: int = WIDTH, hidden: int = HIDDEN, inner: int = INNER_SCALE
    ) -> None:
        super().__init__()
        self.scale = scale
        self.inner = inner
        layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1), nn.PReLU(width)]
        for _ in range(hidden):
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.PReLU(width)]
        layers.append(nn.Conv2d(width, 3 * inner**2, 3, padding=1))
        self.body = nn.ModuleList(layers)

    def forward(self, rgb: Tensor) -> Tensor:
        map_ = rgb
        for layer in self.body:
            map_ = layer(map_)
        # The same value to all pixels that one becomes, before they are put into their places.
        each: Tensor = cast("Any", map_).unflatten(1, (3, -1))
        each.add_(rgb[:, :, None])
        enlarged = pixel_shuffle(map_, self.inner)
        if self.scale == self.inner:
            return enlarged
        return interpolate(enlarged, scale_factor=self.scale / self.inner, mode="bicubic")


def weights_of(scale: int) -> Path:
    """The file of the shipped weights for a scale of 2 or 4."""
    return WEIGHTS / f"realesr-animevideov3-x{scale}.safetensors"


@dataclass(frozen=True)
class Upscaler:
    """A network that enlarges colour `scale` times, and in what tiles it is run.

    It sees `reach` pixels around a tile with a side of `tile` pixels. What it makes of a picture is
    brought back to that picture's broad colours if `true_to_picture`: not where it takes noise or
    the traces of compression away, which would come back.
    """

    network: nn.Module
    scale: int
    reach: int = REACH
    tile: int = TILE
    true_to_picture: bool = False

    def enlarge(self, rgb: Tensor, scale: int) -> Tensor:
        """Colour [1, 3, H, W] in [0, 1], `scale` times as large; not more than it can."""
        enlarged = self.network(rgb)
        if scale == self.scale:
            return enlarged
        height, width = rgb.shape[-2:]
        size = (height * scale, width * scale)
        return interpolate(enlarged, size=size, mode="bicubic", antialias=True)


def shipped_upscaler(scale: int, device: torch.device) -> Upscaler:
    """The one that ships, for a scale of 2 or 4. Raises ModelMissing or ModelDamaged."""
    return Upscaler(load_upscaler(scale, device), scale, true_to_picture=True)


@cache
def load_upscaler(scale: int, device: torch.device) -> CompactUpscaler:
    """The shipped network for a scale of 2 or 4. Raises ModelMissing or ModelDamaged."""
    if device.type == "cpu":
        keep_freed_memory()
    upscaler = CompactUpscaler(scale)
    dtype = torch.float32 if device.type == "cpu" else torch.float16
    fill(upscaler, weights_of(scale), device, dtype)
    return in_channels_last(upscaler)
