"""The offset pair on anybody's frozen autoencoder (LayerDiffuse, section 3.1)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from acetate.latent_transparency import OffsetEncoder, TransparentDecoder
from acetate.latent_transparency.colour import GREY
from acetate.latent_transparency.flip_ensemble import Turn, turns_for
from acetate.training.batches import over
from acetate.training.conversion.critic import Critic
from acetate.training.conversion.frozen_autoencoder import FrozenAutoencoder
from acetate.training.conversion.layouts import Layout
from acetate.training.conversion.order import chance, drawn, numbers_in
from acetate.training.conversion.trainer import Batch, Stage
from acetate.training.losses import (
    Losses,
    picture_loss,
    picture_losses,
    quick_padding,
    transparency_losses,
)
from acetate.training.samples import write_rows

IDENTITY_WEIGHT = 0.5
"""Usual, and where a training from nothing begins: with much more, no offset is found that tells of
alpha."""
OFFSET_WEIGHT = 0.02
ADVERSARIAL_WEIGHT = 0.01
"""The paper's."""
NOISE = 0.1
"""Largest spread of the noise on a scaled latent: a denoiser never hits it exactly."""


class PairStage(Stage):
    """Offset encoder and transparent decoder learn; the autoencoder looks on.

    `gain` stands for the published factor of 300 during the training: the encoder's own numbers
    are of the size of a scaled latent then, whatever the autoencoder's standard deviation is.
    `steps` are those of the whole training (see `identity_weight`); 0: `identity` counts at once.
    """

    name = "transparency"

    def __init__(
        self,
        frozen: FrozenAutoencoder,
        encoder: OffsetEncoder,
        decoder: TransparentDecoder,
        layout: Layout,
        shown: Tensor,
        seed: int,
        adversarial: float = ADVERSARIAL_WEIGHT,
        identity: float = IDENTITY_WEIGHT,
        steps: int = 0,
    ) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.critic = Critic() if adversarial else None
        self.layout, self._frozen, self._seed = layout, frozen, seed
        self._adversarial, self._identity, self._steps = adversarial, identity, steps
        self._turns = turns_for(8)
        self._shown = shown
        self.gain = self._measured_gain(shown)

    def forward(self, batch: Batch, step: int) -> Losses:
        """`rgba` [B, 4, S, S] and `number` [B]."""
        rgba = batch["rgba"]
        padded = quick_padding(rgba)
        latent, offset = self._marked(rgba, padded)
        # Every other group of eight steps is of the turned passes of a decode.
        turn = self._turns[step % 8] if step % 16 >= 8 else None
        size = NOISE / self._frozen.scale
        noise = [
            size * torch.rand((), generator=chance(self._seed, number, "size of noise"))
            * drawn(tuple(latent.shape[1:]), self._seed, number)
            for number in numbers_in(batch)
        ]  # fmt: skip
        # The decoder meets the same noise: what is painted misses in picture and latent alike.
        met = latent + torch.stack(noise).to(latent)
        picture = self._frozen.picture(met)
        decoded = self._read(picture, met, turn).float()
        losses = transparency_losses(decoded, rgba, padded)
        losses["identity"] = picture_loss(picture_losses(picture, over(rgba, GREY)))
        losses["offset"] = (offset * self._frozen.scale).square().mean()
        identity = self.identity_weight(step) * losses["identity"]
        total = losses["alpha"] + losses["colour"] + identity
        total = total + OFFSET_WEIGHT * losses["offset"]
        if self.critic is not None:
            colour = torch.where(rgba[:, 3:] > 0.02, rgba[:, :3], padded)
            truth = torch.cat([rgba[:, 3:], colour], 1)
            losses |= self.critic(decoded, truth, self._adversarial)
            total = total + losses["critic"]
        return {"loss": total, **losses}

    def identity_weight(self, step: int) -> float:
        """Goes evenly from the usual one to `identity` in the first half of all steps."""
        share = min(1.0, 2 * step / self._steps) if self._steps else 1.0
        return IDENTITY_WEIGHT + (self._identity - IDENTITY_WEIGHT) * share

    @torch.no_grad()
    def show(self, file: Path) -> None:
        """Layers on black, their round trips on black and white, the plain picture, and alpha."""
        rgba = self._shown.to(next(self.encoder.parameters()).device)
        latent, _ = self._marked(rgba, quick_padding(rgba))
        picture = self._frozen.picture(latent)
        decoded = self._read(picture, latent, None).float()
        result = torch.cat([decoded[:, 1:], decoded[:, :1]], 1).clamp(0, 1)
        rows = [over(rgba, 0.0), over(result, 0.0), over(result, 1.0), picture.clamp(0, 1)]
        rows.append(result[:, 3:].expand(-1, 3, -1, -1))
        write_rows(file, [row.cpu() for row in rows])

    def _marked(self, rgba: Tensor, padded: Tensor) -> tuple[Tensor, Tensor]:
        """The latent of the layer on grey with the offset of its alpha, and that offset."""
        mean, deviation = self._frozen.moments(over(rgba, GREY))
        parts = [rgba[:, 3:], padded]
        offset = self.encoder(torch.cat(parts[::-1] if self.layout.alpha_last else parts, 1))
        offset = offset.float() * self.gain
        offset = deviation * offset if self.layout.by_deviation else offset
        return mean + offset, offset

    def _read(self, picture: Tensor, latent: Tensor, turn: Turn | None) -> Tensor:
        """[alpha, R, G, B], whichever order the family's files have."""
        if self.layout.clipped:
            picture = picture.clamp(0, 1)
        if turn is None:
            found = self.decoder(picture, latent)
        else:
            found = turn.undo(self.decoder(turn.apply(picture), turn.apply(latent)))
        return torch.cat([found[:, 3:], found[:, :3]], 1) if self.layout.alpha_last else found

    def _measured_gain(self, rgba: Tensor) -> float:
        if not self.layout.by_deviation:
            return 1.0
        deviation = float(self._frozen.moments(over(rgba, GREY))[1].mean())
        # To two digits, so that a run that goes on elsewhere has the very same.
        return float(f"{1 / max(1e-6, deviation * self._frozen.scale):.2g}")


class DecoderStage(PairStage):
    """The decoder alone, behind a frozen encoder: the latents that a denoiser learned stay.

    What the encoder alone would learn from is told with the rest and changes nothing.
    """

    name = "transparent-decoder"
