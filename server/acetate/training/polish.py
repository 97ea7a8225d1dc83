"""Stage 2, continued: the transparent decoder alone, behind a frozen offset encoder.

The latents that the denoiser learns stay what they are, and the decoder gains time for fine edges
at a fraction of the cost of a step of the pair.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from acetate.latent_transparency.flip_ensemble import turns_for
from acetate.models.weights import in_channels_last

from .batches import LayerBatches, vary_transparency
from .dataset import read_picture_set
from .gradients import seed_everything
from .loop import Losses, Report, Schedule, Trainee, train
from .precision import training_autocast
from .transparency import (
    CROP,
    NOISE,
    POLISHED_FILE,
    load_transparency,
    quick_padding,
    transparency_losses,
    write_round_trips,
)


def train_decoder(data: Path, out: Path, steps: int, seed: int, report: Report) -> None:
    """Go on from the pair in `out`; the polished decoder then takes the place of the first."""
    seed_everything(seed)
    pair = load_transparency(out)
    decoder = pair.decoder.requires_grad_(True)
    in_channels_last(decoder)
    trainee = Trainee({"decoder": decoder}, Schedule(steps, 6e-4, average=0.998))
    layers = LayerBatches(read_picture_set(data), seed + 2)
    turns = turns_for(8)

    def losses_at(number: int) -> tuple[Tensor, Losses]:
        batch, crop = (8, None) if number % 2 else (32, CROP)
        rgba = vary_transparency(layers.at(number, batch, crop), number, seed)
        padded = quick_padding(rgba)
        random = torch.Generator().manual_seed(number)
        turn = turns[number // 2 % len(turns)]
        with training_autocast():
            with torch.no_grad():
                latent, offset = pair.encode(rgba, padded)
                size = torch.rand(batch, 1, 1, 1, generator=random) * NOISE
                marked = latent + offset + size * torch.randn(latent.shape, generator=random)
                picture = pair.picture(marked)
            decoded = pair.read(picture, marked, turn)
        losses = transparency_losses(decoded.float(), rgba, padded)
        return losses["alpha"] + losses["colour"], losses

    def on_sample(step: int) -> None:
        del step
        trainee.save(out / POLISHED_FILE)
        write_round_trips(load_transparency(out), layers, seed, out / "transparent-decoder.png")

    train(trainee, out / POLISHED_FILE, losses_at, report, on_sample)
