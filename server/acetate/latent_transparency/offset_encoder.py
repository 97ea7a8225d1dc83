"""The network that hides transparency in a latent as a small offset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from torch import Tensor, nn
from torch.nn import functional


class OffsetEncoder(nn.Module):
    """Convolutions from [alpha, padded colour] to a latent offset (LayerDiffuse, section 3.1).

    The defaults are the published SD 1.5 and SDXL files; `latent_channels=16` is the Flux one.
    `widths` has one entry per resolution; each step to the next halves the sides.
    `pixel_unshuffle=r` first folds r×r pixels into channels. The last layer starts at zero, so
    an untrained encoder leaves the latent as it is.
    """

    def __init__(
        self,
        latent_channels: int = 4,
        widths: Sequence[int] = (32, 64, 128, 256),
        pixel_unshuffle: int = 1,
    ) -> None:
        super().__init__()
        self.config: dict[str, Any] = {
            "latent_channels": latent_channels,
            "widths": list(widths),
            "pixel_unshuffle": pixel_unshuffle,
        }
        self.pixel_unshuffle = pixel_unshuffle
        self.size_multiple = pixel_unshuffle * 2 ** (len(widths) - 1)
        layers: list[nn.Module] = []
        previous = 4 * pixel_unshuffle**2
        for level, width in enumerate(widths):
            stride = 1 if level == 0 else 2
            layers += [nn.Conv2d(previous, width, 3, stride=stride, padding=1), nn.SiLU()]
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.SiLU()]
            previous = width
        last = nn.Conv2d(previous, latent_channels, 3, padding=1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(cast(Tensor, last.bias))
        self.blocks = nn.Sequential(*layers, last)

    def forward(self, alpha_and_colour: Tensor) -> Tensor:
        """Offset [B, C, H / size_multiple, W / size_multiple] for an input [B, 4, H, W] in [0, 1].

        The channel order is [alpha, red, green, blue] for the SD 1.5, SDXL and embedded weights
        and [red, green, blue, alpha] for the Flux ones; the caller arranges it.
        Raises ValueError for sides that are no multiple of `size_multiple`.
        """
        height, width = alpha_and_colour.shape[-2:]
        if height % self.size_multiple or width % self.size_multiple:
            raise ValueError(
                f"the offset encoder needs sides that are multiples of {self.size_multiple}, "
                f"not {width} × {height}: pad the image first"
            )
        if self.pixel_unshuffle > 1:
            alpha_and_colour = functional.pixel_unshuffle(alpha_and_colour, self.pixel_unshuffle)
        return self.blocks(alpha_and_colour)
