"""What teaching a base of full size to paint layers costs: `python -m tests.benchmarks.training`.

Samples a second and peak memory of both stages on an SDXL or SD 1.5 of random weights, in the loop
of `acetate train transparency` and `acetate train layers`: bf16, AdamW, a LoRA of rank 256, random
pictures. It needs a graphics card; `--seconds 3600` makes it an hour of each stage. `--small` runs
tiny ones anywhere, which shows that the script works and says nothing about speed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from acetate.models.families import FAMILIES
from acetate.training.conversion.bases import find_base
from acetate.training.conversion.frozen_autoencoder import FrozenAutoencoder
from acetate.training.conversion.layer_stage import LayerStage
from acetate.training.conversion.layers_run import in_folder
from acetate.training.conversion.layouts import LAYOUTS, build_pair
from acetate.training.conversion.objectives import objective_of
from acetate.training.conversion.pair_stage import PairStage
from acetate.training.conversion.plan import Plan
from acetate.training.conversion.trainer import Stage, Trainer, accelerator_for
from tests.benchmarks.full_size import RandomBase, full_pipeline
from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl

TINY: dict[str, Callable[[Path], Path]] = {"sdxl": write_tiny_sdxl, "sd15": write_tiny_sd15}
PAIR_SIDE = 512
RANK = 256
WARM = 3
"""Steps before the clock runs."""
ENDLESS = 10**6


class Enough(Exception):
    """The time is over."""


@dataclass(frozen=True)
class Subject:
    """A base to teach; sides in pixels."""

    family: str
    frozen: FrozenAutoencoder
    shape: dict[str, Any] | None
    painter: Any
    pair_side: int
    side: int


class Random(Dataset[dict[str, Tensor]]):
    """Another sample of these shapes for each number."""

    def __init__(self, shapes: dict[str, tuple[int, ...]]) -> None:
        self._shapes = shapes

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(number)
        sample = {
            name: torch.rand(size, generator=generator) for name, size in self._shapes.items()
        }
        return sample | {"number": torch.tensor(number)}


def main(arguments: list[str] | None = None) -> None:
    """Print one line for each stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", choices=list(TINY), default="sdxl")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each stage")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--gradient-checkpointing", action="store_true")
    parser.add_argument("--eight-bit", action="store_true")
    parser.add_argument("--small", action="store_true", help="tiny networks, for any machine")
    given = parser.parse_args(arguments)
    if not given.small and not torch.cuda.is_available():
        print("full-size training: no figures, as there is no graphics card here (try --small)")
        return
    plan = Plan(
        ENDLESS, given.batch, 1e-5, eight_bit=given.eight_bit,
        report_steps=ENDLESS, checkpoint_steps=ENDLESS, sample_steps=ENDLESS,
    )  # fmt: skip
    device = accelerator_for(plan).device
    with tempfile.TemporaryDirectory() as folder:
        make = tiny if given.small else full
        subject = make(given.family, device, Path(folder))
        if given.gradient_checkpointing:
            for network in (subject.frozen.network, subject.painter.denoiser):
                network.enable_gradient_checkpointing()
                network.train()
        measure("transparency", *pair_stage(subject), subject, plan, given.seconds)
        measure("layers", *layer_stage(subject), subject, plan, given.seconds)


def full(family: str, device: torch.device, folder: Path) -> Subject:
    """At its published size, with random weights."""
    del folder
    network = RandomBase(family).autoencoder(torch.bfloat16, device)
    painter = full_pipeline(family, device, torch.bfloat16)
    return Subject(family, FrozenAutoencoder.of(network), None, painter, PAIR_SIDE, painter.native)


def tiny(family: str, device: torch.device, folder: Path) -> Subject:
    """Of the same form, for any machine."""
    place = TINY[family](folder / family)
    pair = place / "transparency"
    base = find_base(str(place))
    shape = json.loads((pair / "config.json").read_text(encoding="utf-8"))
    frozen = base.autoencoder(device, torch.float32)
    return Subject(family, frozen, shape, base.painter(device, in_folder(pair)), 64, 64)


def pair_stage(subject: Subject) -> tuple[Stage, Random]:
    """The offset pair, with its critic."""
    shape = (4, subject.pair_side, subject.pair_side)
    pair = build_pair(subject.family, subject.frozen.channels, subject.shape)
    shown = torch.rand(1, *shape)
    stage = PairStage(subject.frozen, *pair, LAYOUTS[subject.family], shown, seed=1)
    return stage, Random({"rgba": shape})


def layer_stage(subject: Subject) -> tuple[Stage, Random]:
    """The denoiser's LoRA."""
    painter, side = subject.painter, subject.side
    words = painter.encode_prompt(["a red apple"], [""])
    pooled = words.pooled_positive
    shapes = {
        "latent": (painter.latent_channels, *[side // painter.latent_factor] * 2),
        "tokens": tuple(words.positive.shape[1:]),
    }
    if pooled is not None:
        shapes["pooled"] = tuple(pooled.shape[1:])
    objective = objective_of(subject.family, painter.scheduler_config, tokens=0)
    empty = words.positive[0], None if pooled is None else pooled[0]
    stage = LayerStage(
        painter, RANK, objective, 1, [empty], painter.decode_layer, FAMILIES[subject.family], side
    )
    return stage, Random(shapes)


def measure(
    name: str, stage: Any, data: Random, subject: Subject, plan: Plan, seconds: float
) -> None:
    """Train for so long, and print what it came to."""
    clock: list[float] = []
    forward = stage.forward

    def timed(batch: dict[str, Tensor], step: int) -> Any:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        clock.append(time.perf_counter())
        if len(clock) > WARM + 1 and clock[-1] - clock[WARM] >= seconds:
            raise Enough
        return forward(batch, step)

    stage.forward = timed
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    with tempfile.TemporaryDirectory() as out, contextlib.suppress(Enough):
        Trainer(stage, plan, Path(out), {}, print).run(data)
    rate = plan.batch * (len(clock) - 1 - WARM) / (clock[-1] - clock[WARM])
    side = subject.pair_side if name == "transparency" else subject.side
    print(
        f"{subject.family}, {name} at {side}², batch {plan.batch}: "
        f"{rate:.2f} samples/s, peak {peak_megabytes():.0f} MB",
        flush=True,
    )


def peak_megabytes() -> float:
    """Of the card, or of this process where there is none."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
