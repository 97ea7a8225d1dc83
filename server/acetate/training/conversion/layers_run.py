"""`acetate train layers`: the denoiser of a base learns to paint layers from words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import lcm
from pathlib import Path
from typing import Any

from torch import Tensor

from acetate.errors import BadRequest
from acetate.models.families import FAMILIES
from acetate.models.hashing import file_hash
from acetate.pipelines.pipeline import Pipeline
from acetate.training.collection.entries import CollectionError, Entry
from acetate.training.collection.folder import open_collection
from acetate.training.conversion.bases import TrainedBase, find_base
from acetate.training.conversion.latent_cache import Encode, LatentCache, Words, fill_cache
from acetate.training.conversion.layer_data import fingerprint, split, usable
from acetate.training.conversion.layer_stage import LayerStage
from acetate.training.conversion.layouts import WIDENED_ALONE
from acetate.training.conversion.objectives import objective_of
from acetate.training.conversion.patch_files import write_adapter_lora, write_patch
from acetate.training.conversion.plan import Plan
from acetate.training.conversion.trainer import Trainer, accelerator_for, told_once
from acetate.training.gradients import seed_everything
from acetate.training.loop import Report

SHOWN = 4
"""Captions that are painted from to show how far it is."""
_TOKEN = 16
"""Pixels along a side of what FLUX.1 and FLUX.2 read as one; others take such sides, too."""
_DIGITS = 16
"""Of a hash that tells whether cached latents are those of a transparency."""


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
    base = _learning(wish.base)
    state = accelerator_for(plan)
    entries = _captioned(wish.data, told_once(state, report))
    learned, held_out = split(entries)
    pipeline = base.painter(state.device, in_folder(wish.pair))
    side = side_of(wish.side, pipeline)
    seen_through = file_hash(base.transparency_file(wish.pair))[:_DIGITS]
    cache = wish.out / f"cache-{fingerprint(entries)}-{side}-{seen_through}"
    share = state.process_index, state.num_processes
    encode, words = _latents_of(pipeline), words_of(pipeline)
    fill_cache(cache, entries, side, encode, words, report, share)
    state.wait_for_everyone()
    data = LatentCache(cache, [entry.key for entry in learned], plan.seed, learning=True)
    validated = LatentCache(cache, [entry.key for entry in held_out], plan.seed, learning=False)
    if wish.checkpointing:
        denoiser: Any = pipeline.denoiser
        denoiser.enable_gradient_checkpointing()
        denoiser.train()
    captions = ["", *dict.fromkeys(e.caption for e in held_out or learned if e.caption)]
    shown = [data.words(caption) for caption in captions[: SHOWN + 1]]
    seed_everything(plan.seed)
    stage = _stage(wish.rank, pipeline, shown, plan.seed, side)
    facts: dict[str, Any] = {
        "base": base.name,
        "rank": wish.rank,
        "side": side,
        "layers": fingerprint(learned),
        "transparency": seen_through,
    }
    Trainer(stage, plan, wish.out, facts, report).run(data, validated if held_out else None)
    changes = stage.attention.changes()
    stage.attention.remove()
    if not state.is_main_process:
        return []
    if base.adapter:
        network = {"sd15": "unet", "sdxl": "unet"}.get(base.family, "transformer")
        return [write_adapter_lora(wish.out, network, changes)]
    return [write_patch(wish.out, base.family, pipeline.denoiser, changes)]


def _learning(source: str) -> TrainedBase:
    """The base whose denoiser is to learn. Raises BadRequest for one that cannot yet."""
    base = find_base(source)
    if base.family == "embedded":
        raise BadRequest(
            "The denoiser of the embedded model has a command of its own: `acetate train denoiser`."
        )
    if base.family in WIDENED_ALONE and not base.adapter:
        raise BadRequest(
            f"{source} has no transparency yet: train it with `acetate train transparency "
            "--kind widened`, and import that with `acetate models import FOLDER --base`."
        )
    return base


def _captioned(folder: Path, tell: Report) -> list[Entry]:
    """The layers of a folder. Raises CollectionError where none of them has a caption."""
    entries = usable(open_collection(folder), tell)
    unnamed = sum(not entry.caption for entry in entries)
    if unnamed == len(entries):
        raise CollectionError(
            f"None of the {len(entries)} layers in {folder} has a caption.",
            "Write each into NAME.txt beside NAME.png, or all of them into metadata.jsonl.",
        )
    if unnamed:
        tell(f"{unnamed} layers have no caption and are learned without words")
    return entries


def side_of(wanted: int, pipeline: Pipeline, multiple: int = _TOKEN) -> int:
    """The side to learn at. Raises BadRequest for one that the denoiser cannot see."""
    side, multiple = wanted or pipeline.native, lcm(pipeline.latent_factor, multiple)
    if side % multiple:
        raise BadRequest(f"A --size of {side} is no multiple of {multiple}.")
    return side


def _stage(
    rank: int, pipeline: Pipeline, shown: list[dict[str, Tensor]], seed: int, side: int
) -> LayerStage:
    tokens = (side // _TOKEN) ** 2
    scheduler: dict[str, Any] = getattr(pipeline, "scheduler_config", {})
    return LayerStage(
        pipeline,
        rank,
        objective_of(pipeline.family, scheduler, tokens),
        seed,
        [(each["tokens"], each.get("pooled")) for each in shown],
        lambda latent: pipeline.decode_layer(latent, passes=1),
        FAMILIES[pipeline.family],
        side,
    )


def _latents_of(pipeline: Pipeline) -> Encode:
    return lambda rgba: pipeline.encode_layer(rgba.to(pipeline.device))


def words_of(pipeline: Pipeline) -> Words:
    """Its reading of captions."""
    return lambda text: _words(pipeline, text)


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
