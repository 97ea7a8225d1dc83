"""The network of ESRGAN and of the larger Real-ESRGAN models: dense blocks within blocks.

After Wang et al., "ESRGAN" (2018), where the class is called RRDBNet; names of weights are those of
Real-ESRGAN.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, pad, pixel_unshuffle

_SLOPE = 0.2
_SHARE = 0.2
"""How much of what a block finds is added to what it got."""


class _Dense(nn.Module):
    """Five convolutions, each of which sees what all before it made."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        for index in range(4):
            setattr(self, f"conv{index + 1}", _convolution(width + index * growth, growth))
        self.conv5 = _convolution(width + 4 * growth, width)

    def forward(self, map_: Tensor) -> Tensor:
        seen = map_
        for index in range(4):
            found = leaky_relu(self.get_submodule(f"conv{index + 1}")(seen), _SLOPE)
            seen = torch.cat([seen, found], dim=1)
        return map_ + _SHARE * self.conv5(seen)


class _Block(nn.Module):
    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1 = _Dense(width, growth)
        self.rdb2 = _Dense(width, growth)
        self.rdb3 = _Dense(width, growth)

    def forward(self, map_: Tensor) -> Tensor:
        return map_ + _SHARE * self.rdb3(self.rdb2(self.rdb1(map_)))


class DenseUpscaler(nn.Module):
    """Enlarges colour [B, 3, H, W] in [0, 1] `2 ** doublings / folded` times, not clipped.

    With `folded` above 1 so many rows and columns of the picture become one place with more
    channels first, as the smaller scales of Real-ESRGAN do.
    """

    def __init__(
        self, width: int, growth: int, blocks: int, doublings: int, folded: int = 1
    ) -> None:
        super().__init__()
        self.folded = folded
        self.doublings = doublings
        self.conv_first = _convolution(3 * folded**2, width)
        self.body = nn.ModuleList(_Block(width, growth) for _ in range(blocks))
        self.conv_body = _convolution(width, width)
        for index in range(doublings):
            setattr(self, f"conv_up{index + 1}", _convolution(width, width))
        self.conv_hr = _convolution(width, width)
        self.conv_last = _convolution(width, 3)

    def forward(self, rgb: Tensor) -> Tensor:
        height, width = rgb.shape[-2:]
        more = (-width % self.folded, -height % self.folded)
        mode = "reflect" if min(height, width) > self.folded else "replicate"
        folded = pixel_unshuffle(pad(rgb, (0, more[0], 0, more[1]), mode=mode), self.folded)
        first = map_ = self.conv_first(folded)
        for block in self.body:
            map_ = block(map_)
        map_ = first + self.conv_body(map_)
        for index in range(self.doublings):
            doubled = interpolate(map_, scale_factor=2, mode="nearest")
            map_ = leaky_relu(self.get_submodule(f"conv_up{index + 1}")(doubled), _SLOPE)
        enlarged = self.conv_last(leaky_relu(self.conv_hr(map_), _SLOPE))
        times = 2**self.doublings
        return enlarged[..., : height * times // self.folded, : width * times // self.folded]


def _convolution(entries: int, exits: int) -> nn.Conv2d:
    return nn.Conv2d(entries, exits, 3, padding=1)
