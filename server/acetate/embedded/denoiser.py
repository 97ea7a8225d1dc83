"""The embedded model's denoiser: a small U-Net that looks at two pictures while it paints."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from acetate.embedded.autoencoder import Upsample
from acetate.latent_transparency.unet_layers import Downsample

GROUPS = 16
HEAD_WIDTH = 32
STEPS = 1000
"""What a noise level of 1 is called inside."""


class Residual(nn.Module):
    """Two normalised convolutions, the time added between; [B, I, H, W] to [B, O, H, W]."""

    def __init__(self, inside: int, outside: int, time: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, inside)
        self.conv1 = nn.Conv2d(inside, outside, 3, padding=1)
        self.time_emb_proj = nn.Linear(time, outside)
        self.norm2 = nn.GroupNorm(GROUPS, outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(inside, outside, 1) if inside != outside else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h = self.conv1(functional.silu(self.norm1(x)))
        h = h + self.time_emb_proj(functional.silu(time))[:, :, None, None]
        h = self.conv2(functional.silu(self.norm2(h)))
        return self.conv_shortcut(x) + h


class Attention(nn.Module):
    """Multi-head attention of [B, N, C] to a context [B, M, D] (to itself where there is none)."""

    def __init__(self, width: int, context: int | None = None) -> None:
        super().__init__()
        self.heads = width // HEAD_WIDTH
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context or width, width, bias=False)
        self.to_v = nn.Linear(context or width, width, bias=False)
        self.to_out = nn.Sequential(nn.Linear(width, width))

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        seen = x if context is None else context
        q, k, v = (
            part.unflatten(-1, (self.heads, HEAD_WIDTH)).transpose(1, 2)
            for part in (self.to_q(x), self.to_k(seen), self.to_v(seen))
        )
        weights = (q @ k.transpose(-1, -2) * HEAD_WIDTH**-0.5).softmax(-1)
        return self.to_out((weights @ v).transpose(1, 2).flatten(-2))


class GatedLinear(nn.Module):
    """Linear layer whose output is gated by the GELU of a second one."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, 2 * inner)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj(x).chunk(2, dim=-1)
        return value * functional.gelu(gate)


class FeedForward(nn.Module):
    """A gated layer four times as wide, and back."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            GatedLinear(width, 4 * width), nn.Identity(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class TransformerBlock(nn.Module):
    """Attention to the picture itself, then to the prompt, then a gated feed-forward layer."""

    def __init__(self, width: int, context: int) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.attn1 = Attention(width)
        self.attn2 = Attention(width, context)
        self.ff = FeedForward(width)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        x = x + self.attn1(self.norm1(x))
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class Transformer(nn.Module):
    """A transformer block over the pixels of a feature map [B, C, H, W]."""

    def __init__(self, width: int, context: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, width, eps=1e-6)
        self.proj_in = nn.Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList([TransformerBlock(width, context)])
        self.proj_out = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        rows = self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)
        for block in self.transformer_blocks:
            rows = block(rows, context)
        grid = rows.transpose(1, 2).unflatten(2, x.shape[-2:])
        return x + self.proj_out(grid.contiguous(memory_format=torch.channels_last))


class Level(nn.Module):
    """The residual blocks of one resolution, each with its transformer if it has one."""

    def __init__(
        self, blocks: Sequence[Residual], transformers: Sequence[Transformer] = ()
    ) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(blocks)
        if transformers:
            self.attentions = nn.ModuleList(transformers)
        self.pairs = [
            (block, transformers[index] if index < len(transformers) else None)
            for index, block in enumerate(blocks)
        ]

    def pair(self, index: int, x: Tensor, time: Tensor, text: Tensor) -> Tensor:
        """One residual block and its transformer."""
        block, transformer = self.pairs[index]
        x = block(x, time)
        return x if transformer is None else transformer(x, text)


class DownLevel(Level):
    """A level on the way down, and the way to the next."""

    def __init__(
        self,
        blocks: Sequence[Residual],
        transformers: Sequence[Transformer] = (),
        way: Downsample | None = None,
    ) -> None:
        super().__init__(blocks, transformers)
        self.way = [] if way is None else [way]
        if way is not None:
            self.downsamplers = nn.ModuleList(self.way)

    def forward(self, x: Tensor, time: Tensor, text: Tensor) -> list[Tensor]:
        """All that is kept for the way up, the last of it what comes next."""
        kept = [self.pair(0, x, time, text)]
        return kept + [way(kept[0]) for way in self.way]


class UpLevel(Level):
    """A level on the way up: each block reads what was kept on the way down."""

    def __init__(
        self,
        blocks: Sequence[Residual],
        transformers: Sequence[Transformer] = (),
        way: Upsample | None = None,
    ) -> None:
        super().__init__(blocks, transformers)
        self.way = [] if way is None else [way]
        if way is not None:
            self.upsamplers = nn.ModuleList(self.way)

    def forward(self, x: Tensor, kept: list[Tensor], time: Tensor, text: Tensor) -> Tensor:
        for index in range(len(self.pairs)):
            x = self.pair(index, torch.cat([x, kept.pop()], 1), time, text)
        for way in self.way:
            x = way(x)
        return x


class TimeEmbedding(nn.Module):
    """Noise levels [B] in [0, 1] as waves, and those through two layers; [B, time]."""

    def __init__(self, waves: int, time: int) -> None:
        super().__init__()
        self.waves = waves
        self.linear_1 = nn.Linear(waves, time)
        self.linear_2 = nn.Linear(time, time)

    def forward(self, sigma: Tensor) -> Tensor:
        half = self.waves // 2
        steps = torch.arange(half, dtype=torch.float32, device=sigma.device)
        rates = torch.exp(-math.log(10000) * steps / half)
        angles = sigma[:, None].float() * STEPS * rates
        waves = torch.cat([angles.cos(), angles.sin()], -1).to(self.linear_1.weight.dtype)
        return self.linear_2(functional.silu(self.linear_1(waves)))


class Denoiser(nn.Module):
    """Velocity of a rectified flow for latents [B, C, h, w] with condition latents beside them.

    The outermost level works on the whole grid with few channels; what is wide happens at half of
    the resolution and below. The levels below are diffusers' `UNet2DConditionModel` in structure
    and in the names of their weights.
    """

    def __init__(
        self,
        latent_channels: int,
        conditions: int,
        outer: int,
        widths: Sequence[int],
        text: int,
    ) -> None:
        super().__init__()
        a, b, c = widths
        time = 4 * a
        self.multiple = 8
        """Sides of the latent grid are multiples of this."""
        self.time_embedding = TimeEmbedding(a, time)
        self.text_projection = nn.Linear(text, time)
        nn.init.zeros_(self.text_projection.weight)
        nn.init.zeros_(self.text_projection.bias)
        self.conv_in = nn.Conv2d(latent_channels * (1 + conditions), outer, 3, padding=1)
        self.outer_in = Residual(outer, outer, time)
        self.outer_down = nn.Conv2d(outer, a, 3, stride=2, padding=1)
        self.down_blocks = nn.ModuleList(
            [
                DownLevel([Residual(a, a, time)], way=Downsample(a)),
                DownLevel([Residual(a, b, time)], [Transformer(b, text)], Downsample(b)),
                DownLevel([Residual(b, c, time)]),
            ]
        )
        self.mid_block = Level([Residual(c, c, time), Residual(c, c, time)], [Transformer(c, text)])
        self.up_blocks = nn.ModuleList(
            [
                UpLevel([Residual(2 * c, c, time), Residual(c + b, c, time)], way=Upsample(c)),
                UpLevel(
                    [Residual(c + b, b, time), Residual(b + a, b, time)],
                    [Transformer(b, text), Transformer(b, text)],
                    Upsample(b),
                ),
                UpLevel([Residual(b + a, a, time), Residual(2 * a, a, time)]),
            ]
        )
        self.outer_up = nn.Conv2d(a, 4 * outer, 3, padding=1)
        self.outer_out = Residual(2 * outer, outer, time)
        self.conv_norm_out = nn.GroupNorm(GROUPS, outer)
        self.conv_out = nn.Conv2d(outer, latent_channels, 3, padding=1)

    def forward(self, noisy: Tensor, condition: Tensor, sigma: Tensor, text: Tensor) -> Tensor:
        """Noise minus latent, from the noisy latent at levels `sigma` [B] in [0, 1].

        `condition` is [B, conditions × C, h, w], zeros where there is none; `text` [B, T, D],
        whose first state stands for the whole prompt. h and w are multiples of `multiple`.
        """
        time = self.time_embedding(sigma) + self.text_projection(text[:, 0])
        fine = self.outer_in(self.conv_in(torch.cat([noisy, condition], 1)), time)
        kept: list[Tensor] = [self.outer_down(fine)]
        for level in self.down_blocks:
            kept += level(kept[-1], time, text)
        x = self.mid_block.pair(0, kept[-1], time, text)
        x = self.mid_block.pair(1, x, time, text)
        for level in self.up_blocks:
            x = level(x, kept, time, text)
        x = functional.pixel_shuffle(self.outer_up(x), 2)
        x = torch.cat([x.contiguous(memory_format=torch.channels_last), fine], 1)
        x = self.outer_out(x, time)
        return self.conv_out(functional.silu(self.conv_norm_out(x)))
