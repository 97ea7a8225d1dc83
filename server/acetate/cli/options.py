"""The options that generating commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from acetate.errors import BadRequest
from acetate_bridge.geometry import Size


class Precision(StrEnum):
    """Bits of a channel in the written file."""

    EIGHT = "8"
    SIXTEEN = "16"


Output = Annotated[
    Path, typer.Option("--output", "-o", help="PNG file to write; variants are numbered.")
]
Seed = Annotated[
    int | None, typer.Option(help="Number that fixes the picture; a random one by default.")
]
Variants = Annotated[int, typer.Option(help="How many pictures, with seeds that count up.")]
Steps = Annotated[int | None, typer.Option(help="Denoising steps; the model's own by default.")]
Guidance = Annotated[
    float | None, typer.Option(help="How closely to follow the prompt; the model's own by default.")
]
Avoid = Annotated[str, typer.Option(help="What not to paint (negative prompt).")]
Passes = Annotated[int, typer.Option(help="Turned copies whose median is the layer: 1, 2, 4 or 8.")]
Scheduler = Annotated[str, typer.Option(help="Name of the sampler; the model's own by default.")]
StopAt = Annotated[
    float, typer.Option(help="Share of the steps after which the bare base model finishes alone.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")]
Model = Annotated[str, typer.Option(help="Model id, or the folder of a model.")]
Side = Annotated[
    str | None, typer.Option(help="Pixels, as 256 or 320x256; the model's own by default.")
]
Scene = Annotated[Path | None, typer.Option(help="PNG file for the layer over its new background.")]
Strength = Annotated[
    float, typer.Option(help="How far to repaint, above 0 (hardly) up to 1 (from nothing).")
]
Server = Annotated[
    str, typer.Option(help="Paint at a server: its host:port, or local for the one running here.")
]
Bits = Annotated[Precision, typer.Option(help="Bits a channel.")]


def parse_size(text: str) -> Size:
    """“256” or “320x256” in pixels. Raises BadRequest."""
    sides = text.lower().replace("×", "x").split("x")
    if len(sides) > 2 or not all(side.strip().isdecimal() for side in sides):
        raise BadRequest(f"A size is written 256 or 320x256, not “{text}”.")
    numbers = [int(side) for side in sides]
    if 0 in numbers:
        raise BadRequest("A size must be positive.")
    return Size(numbers[0], numbers[-1])
