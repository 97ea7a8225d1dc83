"""Stage 2: latent transparency on the frozen autoencoder, as the paper prescribes (section 3.1).

The offset encoder hides alpha and colour in a small change of the latent; the frozen autoencoder
must still decode that latent to the same picture (identity), and the transparent decoder reads
alpha and colour back from the decoded picture and the latent.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor

from acetate.latent_transparency import OffsetEncoder, TransparentDecoder
from acetate.latent_transparency.colour import GREY
from acetate.latent_transparency.flip_ensemble import Turn, turns_for
from acetate.models.weights import in_channels_last

from .architecture import TRANSPARENCY, build_autoencoder
from .autoencoder import pictures_of, posterior_of
from .batches import LayerBatches, over, vary_transparency
from .dataset import read_picture_set
from .gradients import seed_everything
from .loop import Report, Schedule, Trainee, train
from .losses import Losses, picture_loss, picture_losses, quick_padding, transparency_losses
from .precision import training_autocast
from .samples import write_rows
from .starting import start_from

CROP = 64
POLISHED_FILE = "transparent-decoder.pt"
NOISE = 0.1
"""Largest spread of the noise on the latent: a denoiser never hits it exactly."""

OFFSET_WEIGHT = 0.02
IDENTITY_WEIGHT = 0.5
"""Half: at full weight the offset cost the frozen autoencoder nothing, and alpha suffered."""


@dataclass(frozen=True)
class Transparency:
    """The trained pair on the autoencoder that it was trained for."""

    autoencoder: AutoencoderKL
    encoder: OffsetEncoder
    decoder: TransparentDecoder

    def encode(self, rgba: Tensor, padded: Tensor) -> tuple[Tensor, Tensor]:
        """Plain latent and offset of straight RGBA [B, 4, H, W], each [B, C, H/8, W/8]."""
        latent = posterior_of(self.autoencoder, over(rgba, GREY)).mean
        return latent, self.encoder(torch.cat([rgba[:, 3:], padded], 1))

    def decode(self, latent: Tensor, turn: Turn | None = None) -> tuple[Tensor, Tensor]:
        """Frozen picture [B, 3, H, W] and the pair's [alpha, R, G, B] [B, 4, H, W].

        With a `turn` the decoder sees picture and latent turned, and its answer is turned back:
        the passes of the decode, which only help a decoder that has met them.
        """
        picture = self.picture(latent)
        return picture, self.read(picture, latent, turn)

    def picture(self, latent: Tensor) -> Tensor:
        """What the frozen autoencoder sees in a latent, [B, 3, H, W], not clipped."""
        return pictures_of(self.autoencoder, latent)

    def read(self, picture: Tensor, latent: Tensor, turn: Turn | None = None) -> Tensor:
        """What the transparent decoder reads from both, [alpha, R, G, B] [B, 4, H, W]."""
        clipped = picture.clamp(0, 1)
        if turn is None:
            return self.decoder(clipped, latent)
        return turn.undo(self.decoder(turn.apply(clipped), turn.apply(latent)))


def load_frozen_autoencoder(file: Path) -> AutoencoderKL:
    """The averaged autoencoder of stage 1, frozen; FileNotFoundError with the cure."""
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing; run `acetate train autoencoder` first")
    model = build_autoencoder()
    model.load_state_dict(torch.load(file, weights_only=True)["average"]["autoencoder"])
    model.requires_grad_(False).eval()
    return in_channels_last(model)


def load_transparency(folder: Path) -> Transparency:
    """The averaged pair of stage 2 on its autoencoder, frozen."""
    file = folder / "transparency.pt"
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing; run `acetate train transparency` first")
    average = torch.load(file, weights_only=True)["average"]
    encoder, decoder = build_pair()
    encoder.load_state_dict(average["encoder"])
    polished = folder / POLISHED_FILE
    if polished.is_file():
        average = torch.load(polished, weights_only=True)["average"]
    decoder.load_state_dict(average["decoder"])
    encoder.requires_grad_(False).eval()
    decoder.requires_grad_(False).eval()
    return Transparency(load_frozen_autoencoder(folder / "autoencoder.pt"), encoder, decoder)


def build_pair() -> tuple[OffsetEncoder, TransparentDecoder]:
    """The untrained pair in the shipped shapes."""
    return OffsetEncoder(**TRANSPARENCY["encoder"]), TransparentDecoder(**TRANSPARENCY["decoder"])


def train_transparency(
    data: Path, out: Path, steps: int, seed: int, report: Report, start: Path | None = None
) -> None:
    """Train the pair on the frozen autoencoder found in `out`; checkpoints go there too.

    `start` is a model folder whose weights to begin with.
    """
    seed_everything(seed)
    encoder, decoder = build_pair()
    pair = Transparency(load_frozen_autoencoder(out / "autoencoder.pt"), encoder, decoder)
    if start:
        start_from({"encoder": encoder, "decoder": decoder}, start)
    for module in (encoder, decoder):
        in_channels_last(module)
    trainee = Trainee(
        {"encoder": encoder, "decoder": decoder}, Schedule(steps, 1e-3, average=0.998)
    )
    layers = LayerBatches(read_picture_set(data), seed + 1)
    turns = turns_for(8)

    def losses_at(number: int) -> tuple[Tensor, Losses]:
        batch, crop = (8, None) if number % 4 == 3 else (32, CROP)
        rgba = vary_transparency(layers.at(number, batch, crop), number, seed)
        padded = quick_padding(rgba)
        random = torch.Generator().manual_seed(number)
        turn = turns[number % len(turns)] if number % 16 >= 8 else None
        with training_autocast():
            latent, offset = pair.encode(rgba, padded)
            size = torch.rand(batch, 1, 1, 1, generator=random) * NOISE
            noise = size * torch.randn(latent.shape, generator=random)
            picture, decoded = pair.decode(latent + offset + noise, turn)
        identity = picture_losses(picture.float(), over(rgba, GREY))
        losses = transparency_losses(decoded.float(), rgba, padded)
        losses["identity"] = picture_loss(identity)
        losses["offset"] = offset.float().square().mean()
        total = losses["alpha"] + losses["colour"] + IDENTITY_WEIGHT * losses["identity"]
        return total + OFFSET_WEIGHT * losses["offset"], losses

    def on_sample(step: int) -> None:
        del step
        trainee.save(out / "transparency.pt")
        averaged = load_transparency(out)
        write_round_trips(averaged, layers, seed, out / "transparency.png")

    train(trainee, out / "transparency.pt", losses_at, report, on_sample)


@torch.no_grad()
def write_round_trips(pair: Transparency, layers: LayerBatches, seed: int, file: Path) -> None:
    """Ten layers on black, their round trips on black and white, the picture, and the alpha."""
    rgba = vary_transparency(layers.at(0, 10, None), 0, seed)
    latent, offset = pair.encode(rgba, quick_padding(rgba))
    picture, decoded = pair.decode(latent + offset)
    result = torch.cat([decoded[:, 1:], decoded[:, :1]], 1).clamp(0, 1)
    rows = [over(rgba, 0.0), over(result, 0.0), over(result, 1.0), picture.clamp(0, 1)]
    write_rows(file, [*rows, result[:, 3:].expand(-1, 3, -1, -1)])
