"""`acetate train layers`: the denoiser of a base learns to paint layers from words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from acetate.errors import BadRequest
from acetate.models.families import FAMILIES
from acetate.pipelines.pipeline import Pipeline
from acetate.training.collection.entries import CollectionError
from acetate.training.collection.folder import open_collection
from acetate.training.conversion.bases import find_base
from acetate.training.conversion.latent_cache import LatentCache, fill_cache
from acetate.training.conversion.layer_data import fingerprint, split, usable
from acetate.training.conversion.layer_stage import LayerStage
from acetate.training.conversion.layouts import WIDENED_ALONE
from acetate.training.conversion.objectives import objective_of
from acetate.training.conversion.patch_files import write_adapter_lora, write_patch
from acetate.training.conversion.plan import Plan
from acetate.training.conversion.trainer import Trainer, accelerator_for
from acetate.training.gradients import seed_everything
from acetate.training.loop import Report

SHOWN = 4
"""Captions that are painted from to show how far it is."""


@dataclass(frozen=True)
class LayersWish:
    """What is asked for beside the plan: rank 0 trains all attention weights, `pair` is the
    folder that `acetate train transparency` wrote, `side` is 0 for the base's own size.
    """

    base: str
    data: Path
    out: Path
    pair: Path
    rank: int = 256
    side: int = 0
    checkpointing: bool = False


def train_layers_of(wish: LayersWish, plan: Plan, report: Report) -> list[Path]:
    """Train, and write the patch; returns it. Raises AcetateError with a sentence."""
    base = find_base(wish.base)
    if base.family == "embedded":
        raise BadRequest(
            "The denoiser of the embedded model has a command of its own: `acetate train denoiser`."
        )
    if base.family in WIDENED_ALONE and not base.adapter:
        raise BadRequest(
            f"{wish.base} has no transparency yet: train it with `acetate train transparency "
            "--kind widened`, and import that with `acetate models import FOLDER --base`."
        )
    state = accelerator_for(plan)
    tell = report if state.is_main_process else _silent
    entries = usable(open_collection(wish.data), tell)
    unnamed = sum(not entry.caption for entry in entries)
    if unnamed == len(entries):
        raise CollectionError(
            f"None of the {len(entries)} layers in {wish.data} has a caption.",
            "Write each into NAME.txt beside NAME.png, or all of them into metadata.jsonl.",
        )
    if unnamed:
        tell(f"{unnamed} layers have no caption and are learned without words")
    learned, held_out = split(entries)
    pipeline = base.painter(state.device, in_folder(wish.pair))
    side = wish.side or pipeline.native
    if side % FAMILIES[base.family].multiple and side % pipeline.latent_factor:
        raise BadRequest(f"A --size of {side} is no multiple of {pipeline.latent_factor}.")
    everything = fingerprint(entries)
    cache = wish.out / f"cache-{everything}-{side}"
    fill_cache(
        cache,
        entries,
        side,
        lambda rgba: pipeline.encode_layer(rgba.to(pipeline.device)),
        lambda text: _words(pipeline, text),
        report,
        (state.process_index, state.num_processes),
    )
    state.wait_for_everyone()
    data = LatentCache(cache, [entry.key for entry in learned], plan.seed, learning=True)
    validated = LatentCache(cache, [entry.key for entry in held_out], plan.seed, learning=False)
    if wish.checkpointing:
        denoiser: Any = pipeline.denoiser
        denoiser.enable_gradient_checkpointing()
        denoiser.train()
    shown = ["", *dict.fromkeys(e.caption for e in held_out or learned if e.caption)]
    seed_everything(plan.seed)
    tokens = (side // pipeline.latent_factor) ** 2 // 4
    scheduler: dict[str, Any] = getattr(pipeline, "scheduler_config", {})
    stage = LayerStage(
        pipeline,
        wish.rank,
        objective_of(base.family, scheduler, tokens),
        plan.seed,
        [(each["tokens"], each.get("pooled")) for each in map(data.words, shown[: SHOWN + 1])],
        lambda latent: pipeline.decode_layer(latent, passes=1),
        FAMILIES[base.family],
        side,
    )
    facts: dict[str, Any] = {
        "base": base.name,
        "rank": wish.rank,
        "side": side,
        "layers": fingerprint(learned),
    }
    trainer = Trainer(stage, plan, wish.out, facts, report)
    trainer.run(data, validated if held_out else None)
    changes = stage.attention.changes()
    stage.attention.remove()
    if not state.is_main_process:
        return []
    if base.adapter:
        network = {"sd15": "unet", "sdxl": "unet"}.get(base.family, "transformer")
        return [write_adapter_lora(wish.out, network, changes)]
    return [write_patch(wish.out, base.family, pipeline.denoiser, changes)]


def _words(pipeline: Pipeline, text: str) -> tuple[Tensor, Tensor | None]:
    found = pipeline.encode_prompt([text], [""])
    pooled = found.pooled_positive
    return found.positive[0], None if pooled is None else pooled[0]


def in_folder(folder: Path) -> Callable[[str], Path | None]:
    """Finds the files of a pair in the folder that they were written into."""

    def locate(id_: str) -> Path | None:
        path = folder / f"{id_}.safetensors"
        return path if path.is_file() else None

    return locate


def _silent(_: str) -> None:
    """Only the first process speaks."""
