"""`acetate train layers --mode …`: a denoiser learns from pairs of layers."""

from __future__ import annotations

from math import lcm
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]  # Its paths.
from torch import Tensor

from acetate.errors import BadRequest
from acetate.models.families import FAMILIES
from acetate.models.hashing import file_hash
from acetate.pipelines.pipeline import Pipeline
from acetate.training.collection.layer_pairs import LayerPair, open_pairs
from acetate.training.conversion.bases import find_base
from acetate.training.conversion.latent_cache import LatentCache, fill_cache
from acetate.training.conversion.layer_data import fingerprint, split
from acetate.training.conversion.layers_run import LayersWish, in_folder, side_of, words_of
from acetate.training.conversion.objectives import objective_of
from acetate.training.conversion.plan import Plan
from acetate.training.conversion.trainer import Trainer, accelerator_for, told_once
from acetate.training.conversion.two_layer_data import (
    PairSamples,
    cached_parts,
    encoded,
    read_part,
)
from acetate.training.conversion.two_layer_stage import TwoLayerStage
from acetate.training.conversion.two_layer_tasks import Task, TwoLayerMode, tasks_of
from acetate.training.conversion.two_layer_weights import (
    SharedWeights,
    TwoLayerWeights,
    WidenedWeights,
)
from acetate.training.gradients import seed_everything
from acetate.training.loop import Report
from acetate.training.whole_files import written_whole

_CONTROL = 64
"""Sides must be a multiple of it where a control encoder looks at pixels."""
_DIGITS = 16


def train_two_layers_of(
    wish: LayersWish, mode: TwoLayerMode, plan: Plan, report: Report
) -> list[Path]:
    """Train what a mode needs, one after the other, and write the files; returns them.

    Raises AcetateError with a sentence.
    """
    base = find_base(wish.base)
    if base.adapter:
        raise BadRequest(f"--mode {mode} needs a base with an offset pair, not an RGBA adapter.")
    tasks = tasks_of(base.family, mode)
    state = accelerator_for(plan)
    pairs = open_pairs(wish.data, told_once(state, report))
    pipeline = base.painter(state.device, in_folder(wish.pair))
    side = side_of(wish.side, pipeline, lcm(_CONTROL, pipeline.latent_factor))
    entries = cached_parts(pairs)
    seen_through = file_hash(base.transparency_file(wish.pair))[:_DIGITS]
    folder = wish.out / f"cache-{fingerprint(entries)}-{side}-{seen_through}"
    encode = encoded(
        lambda rgba: pipeline.encode_layer(rgba.to(pipeline.device)),
        lambda rgb: pipeline.encode_image(rgb.to(pipeline.device)),
    )
    share = state.process_index, state.num_processes
    fill_cache(folder, entries, side, encode, words_of(pipeline), report, share, read_part)
    state.wait_for_everyone()
    cache = LatentCache(folder, [entry.key for entry in entries], plan.seed, learning=True)
    if wish.checkpointing:
        denoiser: Any = pipeline.denoiser
        denoiser.enable_gradient_checkpointing()
        denoiser.train()
    learned, held_out = _split(pairs)
    facts: dict[str, Any] = {
        "base": base.name,
        "rank": wish.rank,
        "side": side,
        "pairs": fingerprint(cached_parts(learned)),
        "transparency": seen_through,
    }
    files: list[Path] = []
    for task in tasks:
        samples, validated = (
            PairSamples(
                cache, each, task, side, plan.seed,
                learning=learning, pixels=base.family == "sd15",
            )
            for each, learning in ((learned, True), (held_out or learned[:1], False))
        )  # fmt: skip
        seed_everything(plan.seed)
        weights = _weights(pipeline, task, wish.rank)
        scheduler: dict[str, Any] = getattr(pipeline, "scheduler_config", {})
        stage = TwoLayerStage(
            pipeline, task, weights, objective_of(base.family, scheduler, 0), plan.seed,
            validated[0], cache.words(""), FAMILIES[base.family],
        )  # fmt: skip
        trainer = Trainer(stage, plan, wish.out, facts, report)
        trainer.run(samples, validated if held_out else None)
        tensors = weights.file()
        weights.remove()
        if state.is_main_process:
            files.append(_written(wish.out / f"{task.file}.safetensors", tensors))
    return files


def _weights(pipeline: Pipeline, task: Task, rank: int) -> TwoLayerWeights:
    if pipeline.family == "sd15":
        return SharedWeights(pipeline.denoiser, task, rank)
    return WidenedWeights(pipeline.denoiser, task, rank, pipeline.latent_channels)


def _split(pairs: list[LayerPair]) -> tuple[list[LayerPair], list[LayerPair]]:
    by_key = {pair.parts["blended"].key: pair for pair in pairs}
    learned, held_out = split([pair.parts["blended"] for pair in pairs])
    return [by_key[each.key] for each in learned], [by_key[each.key] for each in held_out]


def _written(file: Path, tensors: dict[str, Tensor]) -> Path:
    half = {name: each.to(torch.float16).contiguous() for name, each in tensors.items()}
    return written_whole(file, lambda part: save_file(half, part, metadata={"format": "pt"}))
