"""The network that reads colour and alpha out of a latent and its plain decode."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

from torch import Tensor, nn
from torch.nn import functional

from acetate.latent_transparency import tiled_convolution as striping
from acetate.latent_transparency.blocks import DownBlock, MiddleBlock, Skip, UpBlock


class TransparentDecoder(nn.Module):
    """U-Net from (plain decode, latent) to alpha and straight colour (LayerDiffuse, section 3.2).

    The defaults are the published SD 1.5 and SDXL files; `latent_channels=16` is the Flux one.
    `widths` has one entry per level, each level half the side of the one before. The latent
    joins before down block `latent_level`, so it is `latent_factor` times smaller than the
    pixels. `pixel_unshuffle=r` folds r×r pixels into channels on entry and unfolds them at the
    end, which moves the whole network to a coarser grid: for small models.
    """

    def __init__(
        self,
        latent_channels: int = 4,
        widths: Sequence[int] = (32, 32, 64, 128, 256, 512, 512),
        layers_per_level: int = 2,
        latent_level: int = 3,
        attention_levels: Sequence[int] = (4, 5, 6),
        head_dim: int = 8,
        groups: int = 4,
        pixel_unshuffle: int = 1,
    ) -> None:
        super().__init__()
        if not 0 <= latent_level < len(widths):
            raise ValueError(f"latent_level {latent_level} is not one of {len(widths)} levels")
        self.config: dict[str, Any] = {
            "latent_channels": latent_channels,
            "widths": list(widths),
            "layers_per_level": layers_per_level,
            "latent_level": latent_level,
            "attention_levels": list(attention_levels),
            "head_dim": head_dim,
            "groups": groups,
            "pixel_unshuffle": pixel_unshuffle,
        }
        self.latent_level = latent_level
        self.pixel_unshuffle = pixel_unshuffle
        self.size_multiple = pixel_unshuffle * 2 ** (len(widths) - 1)
        self.latent_factor = pixel_unshuffle * 2**latent_level
        levels = range(len(widths))
        top = len(widths) - 1
        before = [widths[0], *widths[:-1]]

        def head(level: int) -> int | None:
            return head_dim if level in attention_levels else None

        self.conv_in = nn.Conv2d(3 * pixel_unshuffle**2, widths[0], 3, padding=1)
        self.latent_conv_in = nn.Conv2d(latent_channels, before[latent_level], 1)
        self.down_blocks = nn.ModuleList(
            DownBlock(
                before[level],
                widths[level],
                layers_per_level,
                groups,
                head(level),
                last=level == top,
            )
            for level in levels
        )
        self.mid_block = MiddleBlock(widths[top], groups, head_dim if attention_levels else None)
        self.up_blocks = nn.ModuleList()
        hidden = widths[top]
        for level in reversed(levels):
            skips = [widths[level]] * layers_per_level + [before[level]]
            inputs = [hidden, *[widths[level]] * layers_per_level]
            self.up_blocks.append(
                UpBlock(
                    [a + b for a, b in zip(inputs, skips, strict=True)],
                    widths[level],
                    groups,
                    head(level),
                    last=level == 0,
                )
            )
            hidden = widths[level]
        self.conv_norm_out = nn.GroupNorm(groups, widths[0], eps=1e-5)
        self.conv_out = nn.Conv2d(widths[0], 4 * pixel_unshuffle**2, 3, padding=1)
        # Training starts from the plain decode alone and learns what the latent adds.
        nn.init.zeros_(self.latent_conv_in.weight)
        nn.init.zeros_(cast(Tensor, self.latent_conv_in.bias))

    def forward(self, pixel: Tensor, latent: Tensor) -> Tensor:
        """Estimate [alpha, red, green, blue], nominally in [0, 1] and not clipped.

        `pixel` is the plain decode [B, 3, H, W] in [0, 1], `latent` the unscaled latent
        [B, C, H / latent_factor, W / latent_factor]; the result is [B, 4, H, W].
        Raises ValueError for sides that are no multiple of `size_multiple`.
        """
        height, width = pixel.shape[-2:]
        if height % self.size_multiple or width % self.size_multiple:
            raise ValueError(
                f"the transparent decoder needs sides that are multiples of {self.size_multiple}, "
                f"not {width} × {height}: pad the image first"
            )
        expected = (height // self.latent_factor, width // self.latent_factor)
        if tuple(latent.shape[-2:]) != expected:
            raise ValueError(
                f"pixels of {width} × {height} need a latent of {expected[1]} × {expected[0]}, "
                f"not {latent.shape[-1]} × {latent.shape[-2]}"
            )
        if self.pixel_unshuffle > 1:
            pixel = functional.pixel_unshuffle(pixel, self.pixel_unshuffle)
        x = self.conv_in(pixel)
        sparing = striping.scarce(x) and self.latent_level > 0
        skips: list[Skip] = [partial(self.conv_in, pixel) if sparing else x]
        for level, block in enumerate(self.down_blocks):
            if level == self.latent_level:
                # The skip keeps the state without the latent: out of place on purpose.
                x = x + self.latent_conv_in(latent)
            x, new = block(x, skips[0]) if sparing and level == 0 else block(x)
            skips += new
        x = self.mid_block(x)
        for block in self.up_blocks:
            x = block(x, skips)
        if striping.worthwhile(x):
            x = striping.norm_silu_conv([x], self.conv_norm_out, self.conv_out)
        else:
            x = self.conv_out(functional.silu(self.conv_norm_out(x)))
        return functional.pixel_shuffle(x, self.pixel_unshuffle) if self.pixel_unshuffle > 1 else x
