"""The commands that make a model of others transparent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acetate.training.conversion import options

if TYPE_CHECKING:
    from acetate.training.conversion.plan import Plan

OUT = Path("training")


def add_commands(app: typer.Typer) -> None:
    """Put them beside those of the embedded model."""
    for command in (inspect, pairs, layers):
        app.command()(command)


def inspect(
    data: Annotated[Path, typer.Argument(help="Folder of RGBA pictures, shards or tables.")],
    sheet: Annotated[
        Path | None, typer.Option(help="PNG file for thumbnails, the faulty ones framed.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="JSON file for all that was found.")] = None,
) -> None:
    """Look through a collection: sizes, alpha, halos, duplicates, missing captions."""
    from acetate.training.collection.contact_sheet import write_sheet
    from acetate.training.collection.folder import open_collection
    from acetate.training.collection.inspection import inspect_collection
    from acetate.training.whole_files import text_written_whole

    found = inspect_collection(open_collection(data))
    for line in found.lines():
        typer.echo(line)
    if sheet is not None:
        typer.echo(f"thumbnails in {write_sheet(sheet, found.looked)}")
    if report is not None:
        text_written_whole(report, json.dumps(found.as_table(), indent=2) + "\n")


def pairs(
    layers: Annotated[Path, typer.Option(help="Folder of layers with captions.")],
    pictures: Annotated[Path, typer.Option(help="Folder of opaque pictures to lay them on.")],
    out: Annotated[Path, typer.Option(help="Folder for the pairs.")],
    count: Annotated[int, typer.Option(min=1, help="Pairs to make.")] = 1000,
    size: Annotated[int, typer.Option(min=16, help="Side of each in pixels.")] = 1024,
    seed: options.Seed = 1,
) -> None:
    """Make pairs of two layers: a layer, what is behind it, and both together."""
    from acetate.training.collection.folder import open_collection
    from acetate.training.collection.pairs import write_pairs

    made = write_pairs(
        out, open_collection(layers), open_collection(pictures), count, size, seed, typer.echo
    )
    typer.echo(f"{made} pairs in {out}")


def layers(
    base: options.Base,
    data: options.Data,
    out: options.Out = OUT,
    pair: options.Pair = None,
    mode: options.Mode = "text",
    rank: options.Rank = 256,
    size: options.Size = 0,
    steps: options.Steps = 20000,
    batch: options.Batch = 8,
    rate: options.Rate = 1e-5,
    seed: options.Seed = 1,
    parts: options.Parts = 1,
    precision: options.Precision = "auto",
    eight_bit: options.EightBit = False,
    checkpointing: options.Checkpointing = False,
    readers: options.Readers = 0,
    checkpoint_steps: options.CheckpointSteps = 500,
    sample_steps: options.SampleSteps = 1000,
) -> None:
    """Teach the denoiser of a base to paint layers, as a LoRA or with all attention weights."""
    from acetate.training.conversion.layers_run import LayersWish, train_layers_of
    from acetate.training.conversion.two_layer_run import train_two_layers_of

    plan = options.plan_of(
        steps, batch, rate, seed, parts, precision, eight_bit, readers,
        checkpoint_steps, sample_steps,
    )  # fmt: skip
    wish = LayersWish(base, data, out, pair or out, rank, size, checkpointing)
    if mode == "text":
        _say(train_layers_of(wish, plan, typer.echo))
    else:
        _say(train_two_layers_of(wish, mode, plan, typer.echo))


def train_transparency_for(wish: tuple[Any, ...], plan: Plan) -> None:
    """Run the stage with the fields of a TransparencyWish in their order."""
    from acetate.training.conversion.transparency_run import (
        TransparencyWish,
        train_transparency_of,
    )

    _say(train_transparency_of(TransparencyWish(*wish), plan, typer.echo))


def _say(files: list[Path]) -> None:
    for file in files:
        typer.echo(f"wrote {file}")
