"""An autoencoder widened to four channels (AlphaVAE, arXiv 2507.09308), from anybody's of three."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from acetate.latent_transparency.colour import GREY
from acetate.training.batches import over
from acetate.training.conversion.frozen_autoencoder import FrozenAutoencoder
from acetate.training.conversion.order import chance, drawn, numbers_in
from acetate.training.conversion.trainer import Batch, Stage
from acetate.training.losses import Losses, picture_loss, picture_losses, quick_padding
from acetate.training.samples import write_rows

PULL_WEIGHT = 0.1
ALPHA_WEIGHT = 1.0
SPREAD_WEIGHT = 1e-4
"""Of the latent's own standard deviation, which follows the frozen one's."""


class WidenedStage(Stage):
    """Red, green, blue and alpha from -1 to 1 at both ends, alpha 1 opaque.

    It begins as the old autoencoder: what is new at the entry weighs nothing, and alpha at the
    exit is 1 everywhere.
    """

    name = "widened"

    def __init__(self, frozen: FrozenAutoencoder, shown: Tensor, seed: int) -> None:
        super().__init__()
        self.autoencoder = widened(frozen.network)
        self._frozen, self._shown, self._seed = frozen, shown, seed

    def forward(self, batch: Batch, step: int) -> Losses:
        """`rgba` [B, 4, S, S] and `number` [B]."""
        rgba = batch["rgba"]
        padded = torch.cat([_colours(rgba), rgba[:, 3:]], 1)
        mean, deviation = self._moments(padded)
        noise = [drawn(tuple(mean.shape[1:]), self._seed, number) for number in numbers_in(batch)]
        painted = self._decode(mean + deviation * torch.stack(noise).to(mean))
        tones = [
            torch.rand(3, 1, 1, generator=chance(self._seed, number, "backdrop"))
            for number in numbers_in(batch)
        ]
        backdrops = (0.0, GREY, 1.0, torch.stack(tones).to(rgba))
        blended = [
            picture_loss(picture_losses(over(painted, each), over(rgba, each)))
            for each in backdrops
        ]
        aim, spread = self._frozen.moments(over(rgba, GREY))
        losses = {
            "blended": torch.stack(blended).mean(),
            "alpha": (painted[:, 3:] - rgba[:, 3:]).abs().mean(),
            "pull": ((mean - aim) * self._frozen.scale).square().mean(),
            "spread": (deviation.clamp_min(1e-6).log() - spread.clamp_min(1e-6).log())
            .square()
            .mean(),
        }
        total = losses["blended"] + ALPHA_WEIGHT * losses["alpha"]
        total = total + PULL_WEIGHT * losses["pull"] + SPREAD_WEIGHT * losses["spread"]
        return {"loss": total, **losses}

    @torch.no_grad()
    def show(self, file: Path) -> None:
        """Layers on black, their round trips on black and white, and alpha."""
        rgba = self._shown.to(next(self.autoencoder.parameters()).device)
        mean, _ = self._moments(torch.cat([_colours(rgba), rgba[:, 3:]], 1))
        result = self._decode(mean).clamp(0, 1)
        rows = [over(rgba, 0.0), over(result, 0.0), over(result, 1.0)]
        write_rows(file, [row.cpu() for row in [*rows, result[:, 3:].expand(-1, 3, -1, -1)]])

    def _moments(self, rgba: Tensor) -> tuple[Tensor, Tensor]:
        posterior = cast("Any", self.autoencoder).encode(rgba * 2 - 1).latent_dist
        return posterior.mean.float(), posterior.std.float()

    def _decode(self, latent: Tensor) -> Tensor:
        return cast("Any", self.autoencoder).decode(latent, return_dict=False)[0].float() / 2 + 0.5


def widened(network: Any) -> nn.Module:
    """A copy with a fourth channel at both ends, in fp32, whose weights are trained."""
    wide: Any = network.from_config({**network.config, "in_channels": 4, "out_channels": 4})
    old_state: dict[str, Tensor] = network.state_dict()
    state = {name: value.detach().float().cpu() for name, value in old_state.items()}
    shapes: dict[str, Tensor] = wide.state_dict()
    for name in ("encoder.conv_in.weight", "decoder.conv_out.weight", "decoder.conv_out.bias"):
        old, new = state[name], torch.zeros_like(shapes[name])
        new[tuple(slice(side) for side in old.shape)] = old
        state[name] = new
    state["decoder.conv_out.bias"][3] = 1.0
    wide.load_state_dict(state)
    device = next(network.parameters()).device
    return nn.Module.to(wide, device).requires_grad_(True)


def _colours(rgba: Tensor) -> Tensor:
    """Straight colour where something is seen, smoothly continued where nothing is."""
    return torch.where(rgba[:, 3:] > 0.02, rgba[:, :3], quick_padding(rgba))
