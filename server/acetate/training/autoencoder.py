"""Stage 1: a small autoencoder for ordinary pictures, frozen in everything that follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from torch import Tensor
from torch.nn import functional

from acetate.latent_transparency.colour import GREY
from acetate.models.weights import in_channels_last

from .architecture import PIXEL_UNSHUFFLE, build_autoencoder
from .batches import Backdrops, LayerBatches, over
from .dataset import read_picture_set
from .gradients import seed_everything
from .loop import Report, Schedule, Trainee, train
from .losses import Losses, picture_loss, picture_losses
from .precision import training_autocast
from .samples import write_rows
from .starting import start_from

CROP = 64
KL_WEIGHT = 1.5e-3
"""Enough to make the latent smooth for the denoiser; there is detail to spend."""


def fold(pictures: Tensor) -> Tensor:
    """RGB [B, 3, H, W] in [0, 1] to the autoencoder's input [B, 48, H/4, W/4] in [-1, 1]."""
    return functional.pixel_unshuffle(pictures * 2 - 1, PIXEL_UNSHUFFLE)


def unfold(folded: Tensor) -> Tensor:
    """The inverse of `fold`, not clipped."""
    return functional.pixel_shuffle(folded, PIXEL_UNSHUFFLE) * 0.5 + 0.5


def train_autoencoder(
    data: Path, out: Path, steps: int, seed: int, report: Report, start: Path | None = None
) -> None:
    """Train the autoencoder on layers over grey, colours and scenes; checkpoints in `out`.

    `start` is a model folder whose weights to begin with.
    """
    seed_everything(seed)
    model = in_channels_last(build_autoencoder())
    if start:
        start_from({"autoencoder": model}, start)
    trainee = Trainee({"autoencoder": model}, Schedule(steps, 1e-3, average=0.998))
    layers = LayerBatches(read_picture_set(data), seed)
    backdrops = Backdrops(data, seed)

    def pictures_at(step: int) -> Tensor:
        whole = step % 8 == 7  # normalisation must also know whole pictures, not crops only
        batch, crop = (8, None) if whole else (32, CROP)
        rgba = layers.at(step, batch, crop)
        side = rgba.shape[-1]
        behind = backdrops.at(step, batch, side)
        choose = torch.rand(batch, 1, 1, 1, generator=torch.Generator().manual_seed(step))
        pictures = torch.where(choose < 0.65, over(rgba, GREY), over(rgba, behind))
        return torch.where(choose > 0.8, behind, pictures)

    def losses_at(step: int) -> tuple[Tensor, Losses]:
        truth = pictures_at(step)
        with training_autocast():
            posterior = posterior_of(model, truth)
            painted = pictures_of(model, posterior.sample())
        losses = picture_losses(painted.float(), truth)
        mean, log_variance = posterior.mean.float(), posterior.logvar.float()
        losses["kl"] = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).mean()
        total = picture_loss(losses) + KL_WEIGHT * losses["kl"]
        return total, losses

    def on_sample(step: int) -> None:
        averaged = build_autoencoder()
        averaged.load_state_dict(trainee.averaged("autoencoder"))
        truth = layers.at(0, 8, None)
        with torch.no_grad():
            painted = reconstruct(averaged, over(truth, GREY)).clamp(0, 1)
        write_rows(out / f"autoencoder-{step}.png", [over(truth, GREY), painted])

    train(trainee, out / "autoencoder.pt", losses_at, report, on_sample)


def reconstruct(model: AutoencoderKL, pictures: Tensor) -> Tensor:
    """RGB [B, 3, H, W] through the latent mean and back, not clipped."""
    return pictures_of(model, posterior_of(model, pictures).mean)


def posterior_of(model: AutoencoderKL, pictures: Tensor) -> DiagonalGaussianDistribution:
    """What latents RGB [B, 3, H, W] in [0, 1] may have come from."""
    return cast("Any", model.encode(fold(pictures))).latent_dist


def pictures_of(model: AutoencoderKL, latent: Tensor) -> Tensor:
    """RGB [B, 3, H, W] of a latent, not clipped."""
    return unfold(cast("Any", model).decode(latent).sample)
