"""The embedded model's autoencoder: diffusers' `AutoencoderKL` without attention.

The names of the weights and of the configuration are those of diffusers, which reads the same
files. Written out here because importing diffusers takes longer than painting a layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-6


class Residual(nn.Module):
    """Two normalised convolutions beside a shortcut, [B, I, H, W] to [B, O, H, W]."""

    def __init__(self, inside: int, outside: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, inside, EPSILON)
        self.conv1 = nn.Conv2d(inside, outside, 3, padding=1)
        self.norm2 = nn.GroupNorm(groups, outside, EPSILON)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1)
        if inside != outside:
            self.conv_shortcut = nn.Conv2d(inside, outside, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(functional.silu(self.norm1(x)))
        h = self.conv2(functional.silu(self.norm2(h)))
        return h + (self.conv_shortcut(x) if hasattr(self, "conv_shortcut") else x)


class Downsample(nn.Module):
    """Halves the sides; the padding is at the right and below, as in the published code."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(functional.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    """Doubles the sides."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest"))


class Level(nn.Module):
    """The residual blocks of one resolution, and the way to the next if there is one."""

    def __init__(self, blocks: Sequence[Residual], name: str = "", way: nn.Module | None = None):
        super().__init__()
        self.resnets = nn.ModuleList(blocks)
        self._way = name
        if way is not None:
            self.add_module(name, nn.ModuleList([way]))

    def forward(self, x: Tensor) -> Tensor:
        for block in self.resnets:
            x = block(x)
        for way in getattr(self, self._way) if self._way else ():
            x = way(x)
        return x


class Encoder(nn.Module):
    """Folded pictures to the moments of the latent, before their last mixing."""

    def __init__(
        self, inside: int, widths: Sequence[int], depth: int, latent: int, groups: int
    ) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(inside, widths[0], 3, padding=1)
        levels: list[Level] = []
        before = widths[0]
        for index, width in enumerate(widths):
            blocks = [Residual(width if n else before, width, groups) for n in range(depth)]
            last = index == len(widths) - 1
            levels.append(
                Level(blocks) if last else Level(blocks, "downsamplers", Downsample(width))
            )
            before = width
        self.down_blocks = nn.Sequential(*levels)
        self.mid_block = Level([Residual(before, before, groups) for _ in range(2)])
        self.conv_norm_out = nn.GroupNorm(groups, before, EPSILON)
        self.conv_out = nn.Conv2d(before, 2 * latent, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.mid_block(self.down_blocks(self.conv_in(x)))
        return self.conv_out(functional.silu(self.conv_norm_out(x)))


class Decoder(nn.Module):
    """Latents back to folded pictures."""

    def __init__(
        self, outside: int, widths: Sequence[int], depth: int, latent: int, groups: int
    ) -> None:
        super().__init__()
        before = widths[-1]
        self.conv_in = nn.Conv2d(latent, before, 3, padding=1)
        self.mid_block = Level([Residual(before, before, groups) for _ in range(2)])
        levels: list[Level] = []
        for index, width in enumerate(reversed(widths)):
            blocks = [Residual(width if n else before, width, groups) for n in range(depth + 1)]
            last = index == len(widths) - 1
            levels.append(Level(blocks) if last else Level(blocks, "upsamplers", Upsample(width)))
            before = width
        self.up_blocks = nn.Sequential(*levels)
        self.conv_norm_out = nn.GroupNorm(groups, before, EPSILON)
        self.conv_out = nn.Conv2d(before, outside, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.up_blocks(self.mid_block(self.conv_in(x)))
        return self.conv_out(functional.silu(self.conv_norm_out(x)))


class Autoencoder(nn.Module):
    """Folded pictures [B, I, H, W] in [-1, 1] to latents [B, C, H / f, W / f] and back.

    `config` is diffusers' configuration of an `AutoencoderKL`; f is two to the number of its
    levels less one. Raises KeyError or TypeError for a configuration that lacks something, and
    ValueError for one with attention.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        if config.get("mid_block_add_attention", True):
            raise ValueError("this autoencoder has no attention")
        widths = [int(width) for width in config["block_out_channels"]]
        self.latent_channels = int(config["latent_channels"])
        depth, groups = int(config["layers_per_block"]), int(config["norm_num_groups"])
        shape = widths, depth, self.latent_channels, groups
        self.encoder = Encoder(int(config["in_channels"]), *shape)
        self.decoder = Decoder(int(config["out_channels"]), *shape)
        self.quant_conv = nn.Conv2d(2 * self.latent_channels, 2 * self.latent_channels, 1)
        self.post_quant_conv = nn.Conv2d(self.latent_channels, self.latent_channels, 1)
        self.factor: int = 2 ** (len(widths) - 1)
        self.scaling_factor = float(config["scaling_factor"])
        self.shift_factor = float(config.get("shift_factor") or 0.0)

    def encode(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the unscaled latent."""
        mean, log_variance = self.quant_conv(self.encoder(pictures)).chunk(2, dim=1)
        return mean, (0.5 * log_variance.clamp(-30, 20)).exp()

    def decode(self, latents: Tensor) -> Tensor:
        """Folded pictures of unscaled latents, not clipped."""
        return self.decoder(self.post_quant_conv(latents))
