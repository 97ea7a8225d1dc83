"""The published decoder as it is usually put together: diffusers' blocks, one pass at a time."""

from __future__ import annotations

from typing import Any

from diffusers.models.unets.unet_2d_blocks import (
    UNetMidBlock2D,
    get_down_block,
    get_up_block,
)
from torch import Tensor, nn
from torch.nn import functional

WIDTHS = (32, 32, 64, 128, 256, 512, 512)
ATTENTIVE = (4, 5, 6)
COMMON: dict[str, Any] = {
    "temb_channels": None,
    "resnet_eps": 1e-5,
    "resnet_act_fn": "silu",
    "resnet_groups": 4,
    "attention_head_dim": 8,
}


class PlainDecoder(nn.Module):
    """Same names and numbers as `TransparentDecoder`, for comparison."""

    def __init__(self) -> None:
        super().__init__()
        top = len(WIDTHS) - 1
        before = (WIDTHS[0], *WIDTHS[:-1])
        self.conv_in = nn.Conv2d(3, WIDTHS[0], 3, padding=1)
        self.latent_conv_in = nn.Conv2d(4, WIDTHS[2], 1)
        self.down_blocks = nn.ModuleList(
            get_down_block(
                "AttnDownBlock2D" if level in ATTENTIVE else "DownBlock2D",
                num_layers=2,
                in_channels=before[level],
                out_channels=WIDTHS[level],
                add_downsample=level != top,
                downsample_padding=1,
                **COMMON,
            )
            for level in range(len(WIDTHS))
        )
        self.mid_block = UNetMidBlock2D(
            in_channels=WIDTHS[top], temb_channels=None, resnet_eps=1e-5, resnet_groups=4,
            attention_head_dim=8,
        )  # fmt: skip
        self.up_blocks = nn.ModuleList(
            get_up_block(
                "AttnUpBlock2D" if level in ATTENTIVE else "UpBlock2D",
                num_layers=3,
                in_channels=before[level],
                out_channels=WIDTHS[level],
                prev_output_channel=WIDTHS[min(level + 1, top)],
                add_upsample=level != 0,
                **COMMON,
            )
            for level in reversed(range(len(WIDTHS)))
        )
        self.conv_norm_out = nn.GroupNorm(4, WIDTHS[0], eps=1e-5)
        self.conv_out = nn.Conv2d(WIDTHS[0], 4, 3, padding=1)

    def forward(self, pixel: Tensor, latent: Tensor) -> Tensor:
        """See `TransparentDecoder.forward`."""
        x = self.conv_in(pixel)
        skips = (x,)
        for level, block in enumerate(self.down_blocks):
            if level == 3:
                x = x + self.latent_conv_in(latent)
            x, new = block(hidden_states=x, temb=None)
            skips += new
        x = self.mid_block(x, None)
        for block in self.up_blocks:
            x = block(x, skips[-3:], None)
            skips = skips[:-3]
        return self.conv_out(functional.silu(self.conv_norm_out(x)))
