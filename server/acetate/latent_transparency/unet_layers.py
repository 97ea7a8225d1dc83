"""The building blocks of the transparent decoder, with the parameter names of diffusers' 2-D U-Net.

All of them map NCHW to NCHW. There is no time embedding and no dropout: the decoder is a plain
image-to-image network (LayerDiffuse, section 3.2; names as in the published weight files).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from acetate.latent_transparency import tiled_convolution as striping


class ResidualBlock(nn.Module):
    """norm, SiLU, 3×3, norm, SiLU, 3×3 around a skip, which is 1×1 where the width changes."""

    def __init__(self, width_in: int, width_out: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, width_in, eps=1e-5)
        self.conv1 = nn.Conv2d(width_in, width_out, 3, padding=1)
        self.norm2 = nn.GroupNorm(groups, width_out, eps=1e-5)
        self.conv2 = nn.Conv2d(width_out, width_out, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(width_in, width_out, 1) if width_in != width_out else None

    def forward(self, *parts: Tensor, reuse: bool = False) -> Tensor:
        """Takes one map, or several to be concatenated along the channels.

        `reuse` says that the first is needed no more, so that the result may take its place.
        """
        if striping.worthwhile(parts[0]):
            skip = striping.shortcut(parts, self.conv_shortcut)
            x = striping.norm_silu_conv(parts, self.norm1, self.conv1)
            out = parts[0] if reuse and parts[0].shape == x.shape else None
            return striping.norm_silu_conv([x], self.norm2, self.conv2, add=skip, out=out)
        x = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
        skip = x if self.conv_shortcut is None else self.conv_shortcut(x)
        x = self.conv1(functional.silu(self.norm1(x), inplace=True))
        x = self.conv2(functional.silu(self.norm2(x), inplace=True))
        return x.add_(skip)


class SelfAttention(nn.Module):
    """Self-attention over all pixels, with `width // head_dim` heads, added to its input."""

    def __init__(self, width: int, head_dim: int, groups: int) -> None:
        super().__init__()
        self.heads = width // head_dim
        self.group_norm = nn.GroupNorm(groups, width, eps=1e-5)
        self.to_q = nn.Linear(width, width)
        self.to_k = nn.Linear(width, width)
        self.to_v = nn.Linear(width, width)
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        tokens = self.group_norm(x).flatten(2).transpose(1, 2)

        def split(projected: Tensor) -> Tensor:
            return torch.unflatten(projected, -1, (self.heads, -1)).transpose(1, 2)

        mixed = functional.scaled_dot_product_attention(
            split(self.to_q(tokens)), split(self.to_k(tokens)), split(self.to_v(tokens))
        )
        mixed = self.to_out[0](mixed.transpose(1, 2).flatten(2))
        return x + mixed.transpose(1, 2).unflatten(2, (height, width))


class Downsample(nn.Module):
    """Halves both sides with a strided 3×3 convolution, padded by one on every side."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class Upsample(nn.Module):
    """Doubles both sides by repetition, then smooths with a 3×3 convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        if striping.worthwhile(x):
            return striping.upsample_conv(x, self.conv)
        return self.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest"))
