"""The options of the conversion's commands, and the plan that they make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from acetate.training.conversion.plan import Plan

OptionalBase = Annotated[
    str,
    typer.Option(
        help="Folder of diffusers or model id to make transparent; none: as ours was made."
    ),
]
Base = Annotated[str, typer.Option(help="Folder of diffusers, or the id of a model that is here.")]
Data = Annotated[Path, typer.Option(help="Folder of RGBA pictures, shards (.tar) or tables.")]
Out = Annotated[Path, typer.Option(help="Folder for checkpoints, logs, samples and the result.")]
Kind = Annotated[
    Literal["offset", "widened"],
    typer.Option(help="An offset pair beside the autoencoder, or one widened to four channels."),
]
Size = Annotated[int, typer.Option(min=0, help="Side in pixels; 0 is the usual one.")]
Adversarial = Annotated[
    float, typer.Option(min=0, help="Weight of the critic's loss (the paper's is 0.01).")
]
Identity = Annotated[
    float,
    typer.Option(
        min=0,
        help="Weight of the plain picture as the frozen autoencoder sees it; a training from "
        "nothing comes to it half-way, from 0.5.",
    ),
]
Shape = Annotated[
    Path | None, typer.Option(help="JSON file for a pair of another shape than the published.")
]
DecoderAlone = Annotated[
    bool,
    typer.Option(
        "--decoder-alone", help="Go on from the pair in --out with its decoder alone, with --base."
    ),
]
Steps = Annotated[int, typer.Option(min=1, help="Training steps.")]
Batch = Annotated[int, typer.Option(min=1, help="Samples to a step, of all processes together.")]
Rate = Annotated[float, typer.Option(min=0, help="Learning rate at its highest.")]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Seed of weights, order and noise.")]
Parts = Annotated[int, typer.Option(min=1, help="Parts that a batch is computed in, in turn.")]
Precision = Annotated[
    Literal["auto", "bf16", "no"], typer.Option(help="Arithmetic; auto is bf16 on a card.")
]
EightBit = Annotated[
    bool, typer.Option("--eight-bit", help="Keep the optimiser in 8 bits (bitsandbytes).")
]
Checkpointing = Annotated[
    bool, typer.Option("--gradient-checkpointing", help="Less memory for a third more time.")
]
Readers = Annotated[int, typer.Option(min=0, help="Processes that read pictures ahead.")]
CheckpointSteps = Annotated[int, typer.Option(min=1, help="Steps between two checkpoints.")]
SampleSteps = Annotated[
    int, typer.Option(min=1, help="Steps between two pictures and validations.")
]
Rank = Annotated[
    int, typer.Option(min=0, help="Rank of the LoRA; 0 trains all weights of the attention.")
]
Mode = Annotated[
    Literal["text", "background", "foreground", "joint"],
    typer.Option(help="What the denoiser learns to paint; all but text from pairs of layers."),
]
Pair = Annotated[
    Path | None,
    typer.Option(help="Folder that `acetate train transparency` wrote; none: --out itself."),
]


def plan_of(
    steps: int,
    batch: int,
    rate: float,
    seed: int,
    parts: int,
    precision: Literal["auto", "bf16", "no"],
    eight_bit: bool,
    readers: int,
    checkpoint_steps: int,
    sample_steps: int,
) -> Plan:
    """The plan that the options say."""
    from acetate.training.conversion.plan import Plan

    return Plan(
        steps=steps,
        batch=batch,
        rate=rate,
        seed=seed,
        parts=parts,
        precision=precision,
        eight_bit=eight_bit,
        readers=readers,
        checkpoint_steps=checkpoint_steps,
        sample_steps=sample_steps,
        # In a short training the beginning must not be all that the average remembers.
        warm_up=min(100, max(1, steps // 10)),
        report_steps=min(50, checkpoint_steps),
    )
