"""The options that generating commands share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar, cast, get_args

import typer

from acetate.errors import BadRequest
from acetate_bridge.protocol.following import control_name
from acetate_bridge.protocol.geometry import Size
from acetate_bridge.protocol.limits import (
    CONTROL_END,
    CONTROL_STRENGTH,
    LAYERS,
    LONGEST_SIDE,
    PASSES,
    SCALES,
    STEPS,
    STRENGTH,
    VARIANTS,
    one_of,
)
from acetate_bridge.protocol.types import Aspect, Control, ControlKind, FillKind

T = TypeVar("T")


class Precision(StrEnum):
    """Bits of a channel in the written file."""

    EIGHT = "8"
    SIXTEEN = "16"


Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        help="File to write, its kind by its ending (png, webp, tif, avif; jpg without "
        "transparency); - prints it. Variants, and files that are there, are numbered.",
    ),
]
Seed = Annotated[
    int | None, typer.Option(help="Number that fixes the picture; a random one by default.")
]
Variants = Annotated[
    int, typer.Option(help=f"How many pictures, {VARIANTS.words}, with seeds that count up.")
]
Steps = Annotated[
    int | None, typer.Option(help=f"Denoising steps, {STEPS.words}; the model's own by default.")
]
Guidance = Annotated[
    float | None, typer.Option(help="How closely to follow the prompt; the model's own by default.")
]
Avoid = Annotated[str, typer.Option(help="What not to paint (negative prompt).")]
Passes = Annotated[
    int,
    typer.Option(
        help=f"Turned copies whose median is the layer: {one_of(PASSES[1:])}; "
        "0: as many as suit the model."
    ),
]
Scheduler = Annotated[
    str,
    typer.Option(
        help="Name of the sampler, or lightning or hyper for a distilled base; "
        "the model's own by default."
    ),
]
Cache = Annotated[
    str,
    typer.Option(
        help="first_block, sea, taylor or mag (Flux alone) skips most of a step that would change "
        "little: faster above 8 steps, and a little different (Flux, Qwen-Image)."
    ),
]
StopAt = Annotated[
    float,
    typer.Option(
        help="Share of the noise after which the bare base finishes alone; as advised by default."
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, xpu or mps.")]
Model = Annotated[
    str, typer.Option(help="Model id, or the folder of a model; embedded by default.")
]
Side = Annotated[
    str | None,
    typer.Option(
        help=f"Pixels, as 256 or 320x256, up to {LONGEST_SIDE}; the model's own by default."
    ),
]
Scene = Annotated[Path | None, typer.Option(help="File for the layer over its new background.")]
Strength = Annotated[
    float,
    typer.Option(
        help=f"How far to repaint, above {STRENGTH.least:g} (hardly) "
        f"up to {STRENGTH.most:g} (from nothing)."
    ),
]
Kept = Annotated[
    bool, typer.Option("--keep-transparency", help="Repaint colour alone; its alpha stays.")
]
Enlarged = Annotated[
    str | None,
    typer.Option("--size", help="Enlarge to 512 or 640x512 pixels first; its own by default."),
]
Then = Annotated[
    list[str] | None,
    typer.Option("--then", help="What to add next, onto what is there by then; repeatable."),
]
Grown = Annotated[Path | None, typer.Option("--scene", help="File for all of it together.")]
Style = Annotated[
    list[str] | None,
    typer.Option("--style", help="An imported style, as NAME or NAME=WEIGHT; may be repeated."),
]
PresetName = Annotated[
    str,
    typer.Option(
        "--preset",
        help="A preset by its name, as in the panels; options given beside it come first.",
    ),
]
ReferencePicture = Annotated[
    list[Path] | None,
    typer.Option("--reference", help="A picture of what is meant, to go by; may be repeated."),
]
ReferenceStrength = Annotated[
    list[float] | None,
    typer.Option(
        "--reference-strength",
        help=f"How closely to go by it, {CONTROL_STRENGTH.words}; one for each.",
    ),
]
ReferenceAspect = Annotated[
    list[str] | None,
    typer.Option(
        "--reference-aspect",
        help="What of it to go by, one for each: " + ", ".join(get_args(Aspect)) + ".",
    ),
]
ControlPicture = Annotated[
    list[Path] | None,
    typer.Option("--control", help="A sketch, line art or map to follow; may be repeated."),
]
FollowedKind = Annotated[
    list[str] | None,
    typer.Option(
        "--control-kind",
        help="What it is, one for each: " + ", ".join(get_args(ControlKind)) + ".",
    ),
]
ControlStrength = Annotated[
    list[float] | None,
    typer.Option(
        "--control-strength",
        help=f"How closely to follow it, {CONTROL_STRENGTH.words}; one for each.",
    ),
]
ControlEnd = Annotated[
    list[float] | None,
    typer.Option(
        "--control-end",
        help="The share of the noise after which it is followed no more, "
        f"up to {CONTROL_END.most:g}; one for each.",
    ),
]
ControlDerived = Annotated[
    bool,
    typer.Option(
        "--control-derive", help="It is an ordinary sketch or picture: find its strokes or edges."
    ),
]
Scale = Annotated[int, typer.Option(help=f"How many times as large: {one_of(SCALES)}.")]
Expanding = Annotated[
    bool,
    typer.Option("--expand", help="Paint only what the layer has not got in the selection."),
]
Removing = Annotated[
    bool, typer.Option("--remove", help="Paint what is around on over it; needs no prompt.")
]
FillStrength = Annotated[
    float | None,
    typer.Option(
        "--strength",
        help=f"How far to go from what is around, {STRENGTH.words}; by default what suits.",
    ),
]
Layers = Annotated[int, typer.Option(help=f"How many layers to split it into, {LAYERS.words}.")]
Server = Annotated[
    str,
    typer.Option(
        help="Paint at a server: its host:port, local for the one running here, or auto to start "
        "one that stays for the next command."
    ),
]
Connect = Annotated[
    str, typer.Option(help="Paint at the shared server of another machine: its host:port.")
]
Code = Annotated[
    str, typer.Option(help="The code that it shows, the first time (acetate serve --share).")
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file", help="File with the token of that server; also ACETATE_TOKEN_FILE."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there.")]
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


def parse_styles(given: list[str] | None) -> dict[str, float]:
    """“ink=0.8” or “ink” by name. Raises BadRequest."""
    styles: dict[str, float] = {}
    for text in given or ():
        name, equals, weight = text.partition("=")
        try:
            styles[name] = float(weight) if equals else 1.0
        except ValueError:
            raise BadRequest(f"A style is written ink or ink=0.8, not “{text}”.") from None
    return styles


def parse_fill(expand: bool, remove: bool) -> FillKind:
    """What a selection is painted for. Raises BadRequest."""
    if expand and remove:
        raise BadRequest("A selection is expanded or removed: leave --expand or --remove.")
    return "expand" if expand else "remove" if remove else "fill"


@dataclass(frozen=True)
class Followed:
    """The pictures to follow and to go by, as they were given, and how."""

    controls: Sequence[Path] = ()
    kinds: Sequence[str] = ()
    strengths: Sequence[float] = ()
    ends: Sequence[float] = ()
    derived: bool = False
    references: Sequence[Path] = ()
    reference_strengths: Sequence[float] = ()
    aspects: Sequence[str] = ()

    def pictures(self) -> dict[str, Path]:
        """Each by the name that the request has for it."""
        paths = (*self.controls, *self.references)
        return {control_name(index): path for index, path in enumerate(paths)}

    def parsed(self) -> list[Control]:
        """What is followed, in the order of the pictures. Raises BadRequest."""
        allowed = get_args(ControlKind)
        if self.kinds and not self.controls:
            raise BadRequest("Name the picture to follow with --control.")
        kinds = _each(self.kinds, len(self.controls), "--control-kind", "")
        if unknown := [kind for kind in kinds if kind not in allowed]:
            said = f", not “{unknown[0]}”" if unknown[0] else ""
            raise BadRequest(
                f"Say what the control image is with --control-kind: {', '.join(allowed)}{said}."
            )
        strengths = _each(self.strengths, len(self.controls), "--control-strength", 1.0)
        ends = _each(self.ends, len(self.controls), "--control-end", 1.0)
        found = [
            Control(cast(ControlKind, kind), strength, self.derived, end=end)
            for kind, strength, end in zip(kinds, strengths, ends, strict=True)
        ]
        count = len(self.references)
        if (self.reference_strengths or self.aspects) and not count:
            raise BadRequest("Name the picture to go by with --reference.")
        closely = _each(self.reference_strengths, count, "--reference-strength", 1.0)
        seen = _each(self.aspects, count, "--reference-aspect", "whole")
        known = get_args(Aspect)
        if unknown := [aspect for aspect in seen if aspect not in known]:
            raise BadRequest(
                f"Say what of a reference to go by with --reference-aspect: {', '.join(known)}, "
                f"not “{unknown[0]}”."
            )
        pairs = zip(closely, seen, strict=True)
        return [
            *found,
            *(
                Control("reference", strength, aspect=cast(Aspect, each))
                for strength, each in pairs
            ),
        ]


def _each(given: Sequence[T], count: int, option: str, otherwise: T) -> list[T]:
    """A value for each picture: one is for all of them. Raises BadRequest."""
    if len(given) <= 1:
        return list(given or [otherwise]) * count
    if len(given) != count:
        raise BadRequest(f"Give {option} once for all pictures, or once for each of the {count}.")
    return list(given)
