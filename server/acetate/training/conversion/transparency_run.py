"""`acetate train transparency --base`: from a base and a folder of layers to a transparency."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from acetate.errors import BadRequest
from acetate.latent_transparency import OffsetEncoder, TransparentDecoder
from acetate.models.hashing import file_hash
from acetate.models.weights import in_channels_last
from acetate.training.checkpoints import read_checkpoint
from acetate.training.collection.folder import open_collection
from acetate.training.conversion.bases import TrainedBase, find_base
from acetate.training.conversion.frozen_autoencoder import FrozenAutoencoder
from acetate.training.conversion.layer_data import (
    Cuts,
    Readable,
    Whole,
    fingerprint,
    keep_listing,
    split,
    usable,
)
from acetate.training.conversion.layouts import LAYOUTS, WIDENED_ALONE, build_pair
from acetate.training.conversion.pair_files import read_pair, write_pair
from acetate.training.conversion.pair_stage import IDENTITY_WEIGHT, DecoderStage, PairStage
from acetate.training.conversion.plan import Plan
from acetate.training.conversion.trainer import Stage, Trainer, accelerator_for, told_once
from acetate.training.conversion.widened_files import write_widened
from acetate.training.conversion.widened_stage import WidenedStage
from acetate.training.gradients import seed_everything
from acetate.training.loop import Report

SHOWN = 8
"""Layers in a picture of how far a stage is."""

Kind = Literal["offset", "widened"]


@dataclass(frozen=True)
class TransparencyWish:
    """What is asked for beside the plan: `side` in pixels, 0 for the usual one of the kind.

    `decoder_alone` goes on from the pair of offsets that such a training has left in `out`;
    `start` is a folder with a finished pair to begin with.
    """

    base: str
    data: Path
    out: Path
    kind: Kind = "offset"
    side: int = 0
    adversarial: float = 0.01
    shape: Path | None = None
    checkpointing: bool = False
    decoder_alone: bool = False
    start: Path | None = None
    identity: float = IDENTITY_WEIGHT


def train_transparency_of(wish: TransparencyWish, plan: Plan, report: Report) -> list[Path]:
    """Train, and write the files; returns them. Raises AcetateError with a sentence."""
    base = find_base(wish.base)
    state = accelerator_for(plan)
    tell = told_once(state, report)
    device, on_card = state.device, state.device.type != "cpu"
    frozen = base.autoencoder(device, torch.bfloat16 if on_card else torch.float32)
    if wish.checkpointing:
        frozen.network.enable_gradient_checkpointing()
        frozen.network.train()  # Without dropout nothing else follows from it.
    entries = usable(open_collection(wish.data), tell)
    learned, held_out = split(entries)
    side = _side(wish, base, frozen.factor)
    shown = Whole(Readable((held_out or learned)[:SHOWN]), side).together()
    if wish.kind == "offset" and base.family in WIDENED_ALONE:
        raise BadRequest("Nobody has published a pair for this base: take --kind widened.")
    shape = _read_shape(wish.shape)
    facts: dict[str, Any] = {
        "base": base.name,
        "kind": wish.kind,
        "side": side,
        "adversarial": wish.adversarial,
        "shape": shape,
        "layers": fingerprint(learned),
    }
    if wish.kind == "offset" and not wish.decoder_alone:
        facts["identity"] = wish.identity
    seed_everything(plan.seed)
    stage: Stage
    if wish.start is not None and (wish.kind == "widened" or wish.decoder_alone):
        raise BadRequest(
            "--start begins an offset pair with another one.",
            "Leave it out with --kind widened and with --decoder-alone, which goes on from --out.",
        )
    if wish.kind == "widened":
        if wish.decoder_alone:
            raise BadRequest("A widened autoencoder has no decoder of its own: take --kind offset.")
        stage = WidenedStage(frozen, shown, plan.seed)
    else:
        pair = build_pair(base.family, frozen.channels, shape)
        _check_side(side, pair[1].size_multiple)
        for module in (frozen.network, *pair):
            in_channels_last(module)
        if wish.decoder_alone:
            facts["pair"] = _fill_from(wish.out, pair, facts)
        kind = DecoderStage if wish.decoder_alone else PairStage
        weights = wish.adversarial, wish.identity
        # A finished pair has its offsets already: what it is started with counts at once.
        growing = 0 if wish.start is not None else plan.steps
        stage = kind(frozen, *pair, LAYOUTS[base.family], shown, plan.seed, *weights, growing)
        if wish.start is not None:
            facts["start"] = read_pair(wish.start, stage)
    trainer = Trainer(stage, plan, wish.out, facts, report)
    if state.is_main_process:
        keep_listing(wish.out / "learned.jsonl", learned)
    validated = Whole(Readable(held_out), side) if held_out else None
    trainer.run(Cuts(Readable(learned), side, plan.seed), validated)
    files = _write(stage, wish, base, frozen) if state.is_main_process else []
    # What comes next in another process reads them.
    state.wait_for_everyone()
    return files


def _fill_from(
    out: Path, pair: tuple[OffsetEncoder, TransparentDecoder], facts: dict[str, Any]
) -> str:
    """The averaged weights of the trained pair in `out`, its encoder frozen; its file's hash.

    Raises BadRequest where there is none of this base, side, shape and these layers.
    """
    file = out / f"{PairStage.name}.pt"
    state = read_checkpoint(file)
    if state is None:
        raise BadRequest(
            f"There is no trained pair in {out}: --decoder-alone goes on from one.",
            "Train it with the same command without --decoder-alone first.",
        )
    for name, value in facts.items():
        if name not in ("adversarial", "identity") and state["facts"].get(name) != value:
            raise BadRequest(
                f"The pair in {out} was trained with another {name} "
                f"({state['facts'].get(name)}, now {value}).",
                "Take that one, or another --out.",
            )
    for part, module in zip(("encoder", "decoder"), pair, strict=True):
        start = f"{part}."
        weights = {
            name.removeprefix(start): value
            for name, value in state["average"].items()
            if name.startswith(start)
        }
        module.load_state_dict(weights)
    pair[0].requires_grad_(False)
    return file_hash(file)


def _write(
    stage: Stage, wish: TransparencyWish, base: TrainedBase, frozen: FrozenAutoencoder
) -> list[Path]:
    if isinstance(stage, WidenedStage):
        return write_widened(wish.out, base.family, wish.base, stage)
    assert isinstance(stage, PairStage)
    return write_pair(wish.out, base.family, stage, frozen.network)


def _side(wish: TransparencyWish, base: TrainedBase, factor: int) -> int:
    usual = 128 if base.family == "embedded" else 512
    side = wish.side or usual
    _check_side(side, factor)
    return side


def _check_side(side: int, multiple: int) -> None:
    if side % multiple:
        raise BadRequest(f"A --size of {side} is no multiple of {multiple}, which this base needs.")


def _read_shape(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        shape = json.loads(path.read_text(encoding="utf-8"))
        return {name: dict(shape[name]) for name in ("encoder", "decoder")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadRequest(
            f"{path} does not give the shape of a pair: "
            'it needs {"encoder": {…}, "decoder": {…}} with their arguments.'
        ) from error
