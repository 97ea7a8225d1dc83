"""Stage 2: latent transparency on the frozen autoencoder of stage 1, then its decoder alone.

Both are trained as on anybody's autoencoder (`conversion`): here is only what our model's training
says where others give options.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor

from acetate.latent_transparency import OffsetEncoder, TransparentDecoder
from acetate.latent_transparency.colour import GREY
from acetate.models.hashing import file_hash
from acetate.models.shipped import EMBEDDED
from acetate.models.weights import in_channels_last

from .architecture import CODEC_SIZE, PIXEL_UNSHUFFLE, TRANSPARENCY, build_autoencoder
from .autoencoder import posterior_of
from .batches import over
from .checkpoints import read_checkpoint
from .conversion.frozen_autoencoder import FrozenAutoencoder
from .conversion.layer_data import Cuts, Whole
from .conversion.layouts import LAYOUTS
from .conversion.pair_stage import DecoderStage, PairStage
from .conversion.plan import Plan
from .conversion.trainer import Trainer, accelerator_for
from .dataset import SplitPixels, read_picture_set
from .gradients import seed_everything
from .loop import Report
from .precision import faster_precision
from .starting import start_from
from .workers import count

PAIR_FILE, POLISHED_FILE = (f"{stage.name}.pt" for stage in (PairStage, DecoderStage))
SHOWN = 8
"""Layers in a picture of how far a stage is."""
VALIDATED = 32
"""Pictures of held-out concepts that the loss is told on."""
BATCH = 8
RATE, POLISHING_RATE = 1e-3, 6e-4


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


def load_frozen_autoencoder(file: Path) -> AutoencoderKL:
    """The averaged autoencoder of stage 1, frozen.

    FileNotFoundError with the cure; ModelDamaged for a checkpoint that cannot be read.
    """
    state = read_checkpoint(file)
    if state is None:
        raise FileNotFoundError(f"{file} is missing; run `acetate train autoencoder` first")
    model = build_autoencoder()
    model.load_state_dict(state["average"]["autoencoder"])
    model.requires_grad_(False).eval()
    return in_channels_last(model)


def load_transparency(folder: Path) -> Transparency:
    """The averaged pair of stage 2 on its autoencoder, frozen; with the polished decoder, if it
    was polished behind this very encoder.

    FileNotFoundError with the cure; ModelDamaged for a checkpoint that cannot be read.
    """
    file = folder / PAIR_FILE
    state = read_checkpoint(file)
    if state is None:
        raise FileNotFoundError(f"{file} is missing; run `acetate train transparency` first")
    if "facts" not in state:
        raise FileNotFoundError(
            f"{file} is of an older Acetate: delete it, and run `acetate train transparency` again"
        )
    polished = read_checkpoint(folder / POLISHED_FILE)
    if polished is None or polished.get("facts", {}).get("pair") != file_hash(file):
        polished = state
    encoder, decoder = build_pair()
    encoder.load_state_dict(_part(state["average"], "encoder"))
    decoder.load_state_dict(_part(polished["average"], "decoder"))
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

    `start` is a model folder whose weights to begin with. FileNotFoundError with the cure.
    """
    seed_everything(seed)
    autoencoder = load_frozen_autoencoder(out / "autoencoder.pt")
    encoder, decoder = build_pair()
    if start:
        start_from({"encoder": encoder, "decoder": decoder}, start)
    pair = Transparency(autoencoder, encoder, decoder)
    facts = {"start": str(start or "nothing")}
    _train(PairStage, pair, _plan(steps, RATE, seed), data, out, facts, report)


def train_decoder(data: Path, out: Path, steps: int, seed: int, report: Report) -> None:
    """Go on from the pair in `out`; the polished decoder then takes the place of the first.

    FileNotFoundError with the cure.
    """
    pair = load_transparency(out)
    pair.decoder.requires_grad_(True)
    # Other cuts than those that the pair has learned from.
    plan = _plan(steps, POLISHING_RATE, seed + 1)
    _train(DecoderStage, pair, plan, data, out, {"pair": file_hash(out / PAIR_FILE)}, report)


def _train(
    kind: type[PairStage],
    pair: Transparency,
    plan: Plan,
    data: Path,
    out: Path,
    facts: dict[str, Any],
    report: Report,
) -> None:
    pictures = read_picture_set(data)
    learned = SplitPixels(pictures, "train")
    held_out = SplitPixels(pictures, "concept", VALIDATED)
    shown = Whole((held_out or learned)[:SHOWN], CODEC_SIZE).together()
    network = cast("Any", pair.autoencoder).to(accelerator_for(plan).device)
    frozen = FrozenAutoencoder(network, fold=PIXEL_UNSHUFFLE)
    networks = in_channels_last(pair.encoder), in_channels_last(pair.decoder)
    stage = kind(frozen, *networks, LAYOUTS[EMBEDDED], shown, plan.seed, adversarial=0)
    facts = {
        **facts,
        "autoencoder": file_hash(out / "autoencoder.pt"),
        "pictures": file_hash(data / "table.json"),
    }
    validated = Whole(held_out, CODEC_SIZE) if held_out else None
    Trainer(stage, plan, out, facts, report).run(Cuts(learned, CODEC_SIZE, plan.seed), validated)


def _plan(steps: int, rate: float, seed: int) -> Plan:
    # As many samples for each worker, which the sum of them must allow.
    batch = -(-BATCH // count()) * count()
    on_processor = not (torch.cuda.is_available() or torch.backends.mps.is_available())
    quick = on_processor and faster_precision() is torch.bfloat16
    return Plan(
        steps,
        batch,
        rate,
        seed,
        precision="bf16" if quick else "auto",
        average=0.998,
        warm_up=min(200, max(1, steps // 10)),
        checkpoint_steps=100,
        sample_steps=500,
    )


def _part(average: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The weights of one network of a stage."""
    start = f"{name}."
    return {
        key.removeprefix(start): value for key, value in average.items() if key.startswith(start)
    }
