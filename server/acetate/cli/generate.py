"""`acetate generate`: a command for each mode of the table, and painting again from a recipe."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import typer

from acetate.cli import options
from acetate.cli.again import (
    again_words,
    check_complete,
    is_known,
    options_of,
    pictures_followed,
)
from acetate.cli.growing import grow, grow_again
from acetate.cli.options import Followed, Precision, parse_fill, parse_size, parse_styles
from acetate.cli.presets import chosen_preset, guidance_of, preset_first
from acetate.cli.prompts import PromptCommand
from acetate.cli.quoting import written
from acetate.cli.request import Order
from acetate.cli.run import carry_out
from acetate.errors import BadRequest
from acetate.images.files import read_carried, read_image, read_recipe
from acetate.images.formats import STDOUT
from acetate.images.recipe_texts import Carried
from acetate.models.catalog import catalog
from acetate.models.shipped import EMBEDDED
from acetate.modes.registry import MODES
from acetate_bridge.client.presets import framed
from acetate_bridge.protocol.following import with_controls
from acetate_bridge.protocol.geometry import Size
from acetate_bridge.protocol.messages import ModeInfo
from acetate_bridge.protocol.modes import FILL_STRENGTH, mode_row
from acetate_bridge.protocol.seeds import drawn_seed
from acetate_bridge.protocol.types import Image, PixelFormat, Recipe

_FORMATS: dict[Precision, PixelFormat] = {Precision.EIGHT: "rgba8", Precision.SIXTEEN: "rgba16"}

_SHARED: dict[str, tuple[Any, Any]] = {
    "output": (options.Output, Parameter.empty),
    "avoid": (options.Avoid, ""),
    "seed": (options.Seed, None),
    "variants": (options.Variants, 1),
    "steps": (options.Steps, None),
    "guidance": (options.Guidance, None),
    "passes": (options.Passes, 8),
    "scheduler": (options.Scheduler, ""),
    "cache": (options.Cache, ""),
    "stop_at": (options.StopAt, 0.0),
    "model": (options.Model, ""),
    "device": (options.Device, "auto"),
    "precision": (options.Bits, Precision.EIGHT),
    "preset": (options.PresetName, ""),
    "style": (options.Style, None),
    "reference": (options.ReferencePicture, None),
    "control": (options.ControlPicture, None),
    "reference_strength": (options.ReferenceStrength, None),
    "reference_aspect": (options.ReferenceAspect, None),
    "control_kind": (options.FollowedKind, None),
    "control_strength": (options.ControlStrength, None),
    "control_end": (options.ControlEnd, None),
    "control_derive": (options.ControlDerived, False),
    "server": (options.Server, ""),
    "token_file": (options.TokenFile, None),
    "connect": (options.Connect, ""),
    "code": (options.Code, ""),
    "force": (options.Force, False),
}
"""Annotation and default of what every mode has."""

_OWN: dict[str, dict[str, tuple[Any, Any]]] = {
    "background": {"scene": (options.Scene, None)},
    "foreground": {"then": (options.Then, None), "scene": (options.Grown, None)},
    "refine": {
        "strength": (options.Strength, 0.5),
        "keep_transparency": (options.Kept, False),
        "size": (options.Enlarged, None),
    },
    "fill": {
        "strength": (options.FillStrength, None),
        "expand": (options.Expanding, False),
        "remove": (options.Removing, False),
    },
    "upscale": {"scale": (options.Scale, 2)},
    "decompose": {"layers": (options.Layers, 4)},
}
"""The same for what single modes have."""

_AT_SERVER = ("server", "token_file", "connect", "code")
_UNPROMPTED = ("output", "model", "device", "precision", *_AT_SERVER, "force")
"""What of the shared options a mode has that takes no prompt."""

generate = typer.Typer(
    help="Paint layers from a prompt, around a layer, or again from a recipe.",
    invoke_without_command=True,
)


@generate.callback()
def again(
    context: typer.Context,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Painted by Acetate: paint it again from its recipe."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write, its kind by its ending; - prints it."),
    ] = None,
    pick: Annotated[
        int | None,
        typer.Option(help="Which picture of a sheet, or layer of a scene, counted from 1."),
    ] = None,
    layer: Annotated[
        Path | None, typer.Option(help="The layer that the picture was painted from, if any.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="The picture that it was painted from, if any.")
    ] = None,
    background: Annotated[
        Path | None, typer.Option(help="The background that it was painted from, if any.")
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="The selection that it was painted into, if any.")
    ] = None,
    below: Annotated[
        Path | None, typer.Option(help="The picture below that was in view, if any.")
    ] = None,
    control: options.ControlPicture = None,
    reference: options.ReferencePicture = None,
    model: Annotated[
        str, typer.Option(help="Model id or folder; the recipe's own by default.")
    ] = "",
    device: options.Device = "auto",
    force: options.Force = False,
) -> None:
    """Paint layers from a prompt, around a layer, or again from a recipe."""
    if context.invoked_subcommand is not None:
        return
    if source is None or output is None:
        raise BadRequest(f"Name a mode ({', '.join(MODES)}), or a picture with --from and -o.")
    given = {
        "layer": layer,
        "picture": picture,
        "background": background,
        "mask": mask,
        "below": below,
    }
    carried = read_carried(source)
    recipes = [_picked(source, carried, pick)] if pick is not None else carried.recipes
    recipe = recipes[0]
    grown = carried.scene and all("picture" in options_of(each) for each in recipes)
    if len(recipes) > 1 and not grown:
        read_recipe(source)  # Says that one is to be chosen.
    paths = {name: path for name, path in given.items() if path is not None}
    paths |= pictures_followed(recipe, control or (), reference or ())
    model = model or (recipe.model if is_known(recipe.model) else "")
    check_complete(recipe, paths, model, again_words(source, recipe, output, pick, paths, model))
    painted = read_image(source)
    enlarged = recipe.scale if mode_row(recipe.mode).enlarges else 1
    size = Size(painted.width // enlarged, painted.height // enlarged)
    if pick is not None and not carried.scene:
        size = Size(recipe.width, recipe.height)
    order = Order(
        recipe,
        output,
        model=model,
        device=device,
        size=size,
        steps=recipe.steps,
        guidance=recipe.guidance,
        pixel_format=painted.format,
        images=_at_size(_read(paths), size),
        force=force,
        whole=carried.scene and pick is None and bool({"layer", "picture"} & {*paths}),
    )
    if len(recipes) > 1:
        grow_again(order, recipes)
    else:
        carry_out(order)


def _picked(source: Path, carried: Carried, pick: int) -> Recipe:
    """One of the recipes of a sheet, or of a scene of several layers."""
    recipes = carried.recipes
    if not 1 <= pick <= len(recipes):
        raise BadRequest(f"{source} holds {len(recipes)} recipes: pick 1 to {len(recipes)}.")
    return recipes[pick - 1]


def _command(mode: ModeInfo) -> Callable[..., None]:
    """The command of a mode: its inputs and the prompt, then the options."""

    def paint(**words: Any) -> None:
        given = {name: default for name, (_, default) in _SHARED.items()} | words
        following = Followed(
            given["control"] or (),
            given["control_kind"] or (),
            given["control_strength"] or (),
            given["control_end"] or (),
            given["control_derive"],
            given["reference"] or (),
            given["reference_strength"] or (),
            given["reference_aspect"] or (),
        )
        controls = following.parsed()
        fill = parse_fill(given.get("expand", False), given.get("remove", False))
        inputs = {wanted.name: given[wanted.name] for wanted in mode.inputs}
        _check_order(mode, inputs, given.get("prompt", ""))
        paths = inputs | following.pictures()
        images = _read(paths)
        strength = given.get("strength", 1.0)
        prompts = {role: given[f"{role}_prompt"] for role in mode.prompts}
        recipe = Recipe(
            mode.name,
            given.get("prompt", ""),
            negative_prompt=given["avoid"],
            layer_prompts={role: words for role, words in prompts.items() if words},
            seed=drawn_seed() if given["seed"] is None else given["seed"],
            strength=FILL_STRENGTH[fill] if strength is None else strength,
            passes=given["passes"],
            scheduler=given["scheduler"],
            cache=given["cache"],
            stop_at=given["stop_at"],
            layers=given.get("layers", 4),
            fill=fill,
            scale=given.get("scale", 2),
            keep_transparency=given.get("keep_transparency", False),
            styles=parse_styles(given["style"]),
        )
        preset = chosen_preset(given["preset"])
        recipe = preset_first(preset, with_controls(recipe, controls))
        size = _size(given.get("size"), images, paths)
        if mode.inputs and size is not None:
            images = _at_size(images, size)
        then = tuple(framed(preset.words, prompt) for prompt in given.get("then") or ())
        work = grow if then else carry_out
        work(
            Order(
                recipe,
                given["output"],
                model=given["model"] or preset.model or EMBEDDED,
                device=given["device"],
                size=size,
                steps=preset.steps or None if given["steps"] is None else given["steps"],
                guidance=guidance_of(preset) if given["guidance"] is None else given["guidance"],
                variants=given["variants"],
                pixel_format=_FORMATS[given["precision"]],
                images=images,
                scene=given.get("scene"),
                server=_server(given["server"], given["connect"], given["code"]),
                code=given["code"],
                token_file=given["token_file"],
                force=given["force"],
                then=then,
            )
        )

    parameters = list(_parameters(mode))
    paint.__doc__ = f"{mode.words}.{_needed_model(mode.name)}"
    paint.__annotations__ = {each.name: each.annotation for each in parameters}
    vars(paint)["__signature__"] = Signature(parameters)
    return paint


def _server(server: str, connect: str, code: str) -> str:
    """Where to paint, "" for here. Raises BadRequest."""
    if server and connect:
        raise BadRequest("A picture is painted at one server: leave --server or --connect.")
    if code and not connect:
        raise BadRequest("A code goes with the address of its machine: --connect HOST:PORT.")
    return server or connect


def _parameters(mode: ModeInfo) -> Iterator[Parameter]:
    def parameter(name: str, annotation: Any, default: Any = Parameter.empty) -> Parameter:
        return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)

    row = mode_row(mode.name)
    for wanted in mode.inputs:
        if wanted.required and wanted.name != "mask":
            words = typer.Argument(help=f"A picture: {wanted.words}.")
            yield parameter(wanted.name, Annotated[Path, words])
    if row.prompted:
        prompt = Annotated[str, typer.Argument(help="What to paint.")]
        needed = not mode.prompts and "fill" not in row.fields
        yield parameter("prompt", prompt, Parameter.empty if needed else "")
    shared = {name: _SHARED[name] for name in (_SHARED if row.prompted else _UNPROMPTED)}
    for name, (annotation, default) in (shared | _OWN.get(mode.name, {})).items():
        yield parameter(name, annotation, default)
    if row.needs_selection:
        words = typer.Option(help="A picture: what is selected; white is painted, black stays.")
        yield parameter("mask", Annotated[Path, words])
    if not mode.inputs:
        yield parameter("size", options.Side, None)
    for wanted in mode.inputs:
        if not wanted.required:
            words = typer.Option(help=f"A picture: {wanted.words}.")
            yield parameter(wanted.name, Annotated[Path | None, words], None)
    for role in mode.prompts:
        words = typer.Option(help=f"What to paint on the {role} layer; the prompt by default.")
        yield parameter(f"{role}_prompt", Annotated[str, words], "")


def _read(paths: Mapping[str, Path | None]) -> dict[str, Image]:
    return {name: read_image(path) for name, path in paths.items() if path is not None}


def _at_size(images: dict[str, Image], size: Size) -> dict[str, Image]:
    """The pictures at this size, enlarged with their colour weighted by alpha where they differ."""
    from acetate.images.frame_pixels import resample

    return {
        name: image if (image.width, image.height) == (size.width, size.height)
        else resample(image, size)
        for name, image in images.items()
    }  # fmt: skip


def _check_order(mode: ModeInfo, paths: dict[str, Path | None], prompt: str) -> None:
    """Raise BadRequest where the words stand in the place of the picture, and it in theirs."""
    first = next((paths[each.name] for each in mode.inputs if each.required), None)
    if first is None or first == STDOUT or first.exists() or not prompt:
        return
    with contextlib.suppress(OSError, ValueError):
        if Path(prompt).is_file():
            words = ["acetate", "generate", mode.name, prompt, str(first), "-o", "FILE"]
            raise BadRequest(
                f"There is no picture “{first}”: the picture comes first, and the words after it.",
                f"The command: {written(words)}",
            )


def _needed_model(mode: str) -> str:
    """What the help of a mode says of its model, where the one that ships cannot do it."""
    entries = catalog().values()
    if any(mode in entry.modes for entry in entries if entry.id == EMBEDDED):
        return ""
    able = [f"--model {entry.id}" for entry in entries if mode in entry.modes]
    return f" Needs {' or '.join(able)}: fetch it with acetate models pull." if able else ""


def _size(text: str | None, images: dict[str, Image], paths: dict[str, Path | None]) -> Size | None:
    """What to return: the size that was asked for, or that of the pictures that were given."""
    if text is not None:
        return parse_size(text)
    sizes = {(image.width, image.height) for image in images.values()}
    if len(sizes) > 1:
        told = [
            f"{paths[name]} has {each.width} × {each.height} pixels"
            for name, each in images.items()
        ]
        raise BadRequest(
            f"The pictures must all have the same size: {', '.join(told)}.",
            "Scale them to one size first.",
        )
    return Size(*sizes.pop()) if sizes else None


for _mode in MODES.values():
    generate.command(_mode.info.name, cls=PromptCommand)(_command(_mode.info))
