"""Carrying an order out: here or at a server, with progress, into files."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from rich.console import Console

from acetate.cli.console import say
from acetate.cli.early import check_without_torch
from acetate.cli.own_command import own_command
from acetate.cli.request import Order, check, plan_request, settled
from acetate.cli.stopping import Stopped, heard_politely
from acetate.errors import BadRequest
from acetate.images.files import write_image
from acetate.images.formats import STDOUT
from acetate.images.stacking import stack
from acetate.models.families import FAMILIES
from acetate.models.own_register import style_preset
from acetate_bridge.panel.strings import unread
from acetate_bridge.protocol.following import followed
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.types import Image, Layer, Request, Role

if TYPE_CHECKING:
    from acetate.pipelines.pipeline import Pipeline

LOCAL_SERVER = "local"
AUTO_SERVER = "auto"
_IDLE_SECONDS = 900
"""How long a server that was started for a command stays without work."""


def carry_out(order: Order, loaded: Pipeline | None = None) -> list[Layer]:
    """Paint what was ordered and write it; the first layer of each variant.

    With a model that is loaded already, if any. Raises AcetateError, most of it before any work.
    """
    check(order)
    outputs = settled(order)
    # What belongs to the picture itself goes to standard output, if that is where it goes.
    told = sys.stderr if STDOUT in (order.output, order.scene) else sys.stdout
    check_without_torch(order)
    for note in outputs.notes:
        say(note, told)
    first: list[Layer] = []
    for index, layers in enumerate(painted(order, loaded)):
        first.append(layers[0])
        if order.whole:
            scene = _scene(order, layers[0].image)
            write_scene(outputs.layers[index], scene, [layers[0]], order, told)
            continue
        for layer in layers:
            output = outputs.layers[index]
            path = output if layer is layers[0] else _beside(output, layer.role)
            _write(order, path, layer, told)
            _warn(Console(stderr=True), layer)
        if outputs.scenes:
            scene = _scene(order, layers[0].image)
            write_scene(outputs.scenes[index], scene, [layers[0]], order, told)
    return first


def painted(order: Order, loaded: Pipeline | None = None) -> Iterator[list[Layer]]:
    """The layers of each variant of an order that was checked, here or at a server; none written.

    Raises AcetateError.
    """
    console = Console(stderr=True)
    variants = _paint_there(order, console) if order.server else _paint_here(order, console, loaded)
    for layers in variants:
        yield [_finished(order, layer) for layer in layers]


def write_scene(
    path: Path, scene: Image, layers: Sequence[Layer], order: Order, told: TextIO
) -> None:
    """Write what layers make together, with the recipes of all of them, and say so on `told`."""
    recipes = [layer.recipe for layer in layers if layer.recipe is not None]
    carried = recipes[0] if len(recipes) == 1 else recipes
    written = write_image(path, scene, carried, replace=order.force, scene=True)
    say(f"{written}: {'both' if len(layers) == 1 else 'all of it'} together", told)


def _finished(order: Order, layer: Layer) -> Layer:
    if not (order.recipe.keep_transparency or mode_row(order.recipe.mode).keeps_alpha):
        return layer
    from acetate.images.frame_pixels import keep_alpha

    return keep_alpha(layer, order.images["layer"])


def _write(order: Order, path: Path, layer: Layer, told: TextIO) -> None:
    written = write_image(path, layer.image, layer.recipe, replace=order.force)
    say(_report(written, layer), told)


def compose(front: Image, back: Image) -> Image:
    """A straight-alpha layer over an opaque one of the same size, with the depth of the back."""
    from acetate.images.tensors import opaque, to_image, to_tensor
    from acetate.latent_transparency import composite_over

    return to_image(opaque(composite_over(to_tensor(front), to_tensor(back)[:, :3])), back.format)


def _scene(order: Order, painted: Image) -> Image:
    if "picture" in order.images:
        return stack(painted, order.images["picture"])
    return compose(order.images["layer"], painted)


def _beside(path: Path, role: Role) -> Path:
    """Where a further layer of a result goes."""
    if path == STDOUT:
        raise BadRequest(
            "This mode paints several layers, and standard output takes one.",
            "Name a file with -o.",
        )
    return path.with_stem(f"{path.stem}-{role.value}")


def _paint_here(order: Order, console: Console, loaded: Pipeline | None) -> Iterator[list[Layer]]:
    """The layers of each variant as soon as it is done."""
    with console.status("Loading the model…"):
        pipeline = loaded or load(order)
    told: set[str] = set()

    def tell_once(sentence: str) -> None:
        if sentence not in told:
            told.add(sentence)
            console.print(sentence)

    pipeline.ladder.on_relief = tell_once
    family = FAMILIES[pipeline.family]
    preset = style_preset(order.recipe.styles) or pipeline.preset
    request = plan_request(order, family, pipeline.native, pipeline.limits, preset)
    assert request.frame is not None
    say_unheard(console, request, pipeline.family)
    from acetate.images.frame_pixels import place_layer
    from acetate.images.kept import as_in_document
    from acetate.modes import run_each

    with _progress(console) as show:
        for layers in run_each(request, pipeline, lambda step: show(step.index, step.total)):
            placed = [place_layer(layer, request.frame) for layer in layers]
            yield [
                as_in_document(layer, order.recipe, order.images, request.frame) for layer in placed
            ]


def _paint_there(order: Order, console: Console) -> Iterator[list[Layer]]:
    """The same at a server, which gives all variants together, at the size that it paints."""
    from acetate.cli.remote import generate_on_server
    from acetate.images.frame_pixels import on_canvas, place_layer
    from acetate.models.registry import model_named

    entry = model_named(order.model)
    preset = style_preset(order.recipe.styles) or entry.scheduler
    planned = plan_request(order, FAMILIES[entry.family], entry.native, entry.frame, preset)
    assert planned.frame is not None
    say_unheard(console, planned, entry.family)
    request = replace(planned, recipe=replace(planned.recipe, model=entry.id), frame=None)
    mixes = mode_row(order.recipe.mode).needs_selection
    if mixes:
        # The server gets the document's own pixels, so that it can keep what is not selected.
        images = {name: on_canvas(image, planned.frame) for name, image in order.images.items()}
        request = replace(request, images=images, frame=planned.frame)
    if order.code:
        from acetate.cli.share import paired

        paired(order.server, order.code)
    starts = order.server == AUTO_SERVER
    named = None if order.server in (LOCAL_SERVER, AUTO_SERVER) else order.server
    try:
        with _progress(console) as show, heard_politely():
            layers = generate_on_server(
                request,
                lambda progress: show(progress.step, progress.steps),
                address=named,
                token=_token(order),
                start=starts,
                command=[*own_command(), "serve", "--idle-exit", str(_IDLE_SECONDS)],
            )
    except KeyboardInterrupt:
        raise Stopped from None
    each = len(layers) // order.variants
    for index in range(order.variants):
        part = layers[index * each : (index + 1) * each]
        yield part if mixes else [place_layer(layer, planned.frame) for layer in part]


def say_unheard(console: Console, request: Request, family: str) -> None:
    """What was given and does not what is hoped for: words, what to avoid, a doodle on paper."""
    recipe = request.recipe
    if note := unread(" ".join([recipe.prompt, *recipe.layer_prompts.values()])):
        console.print(note)
    if recipe.negative_prompt.strip() and recipe.guidance <= 1:
        console.print("Nothing is avoided: this is painted without guidance (--guidance 1).")
    if not FAMILIES[family].references:
        return
    from acetate.images.alpha import is_opaque

    for name, control in followed(recipe).items():
        if control.kind == "reference" and is_opaque(request.images[name]):
            console.print(
                "The reference has no transparency, so its ground is painted, too: cut it out "
                "first (acetate generate cutout), or follow a drawing with --control FILE "
                "--control-kind scribble --control-derive."
            )


def _token(order: Order) -> str | None:
    """The token in the file that was named, if any; else that of this machine is taken."""
    named = order.token_file or os.environ.get("ACETATE_TOKEN_FILE")
    if not named:
        return None
    try:
        token = Path(named).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = (getattr(error, "strerror", None) or "it is no text").lower()
        raise BadRequest(f"The token cannot be read from {named}: {reason}.") from None
    if not token or not token.isascii() or any(letter.isspace() for letter in token):
        raise BadRequest(f"{named} holds no token.", "It is what `acetate serve` wrote there.")
    return token


def load(order: Order) -> Pipeline:
    """The model of an order, held to the hashes of its recipe. Raises AcetateError."""
    from acetate.pipelines.loading import load_folder, load_pipeline
    from acetate.pipelines.weight_placement import loading_as

    folder = Path(order.model)
    with loading_as(order.recipe.weights):
        if folder.is_dir():
            pipeline = load_folder(folder, order.device)
        else:
            pipeline = load_pipeline(order.model, order.device)
    pipeline.files.begin(order.recipe.files)
    if order.recipe.model_hash not in ("", pipeline.model_hash):
        raise BadRequest(
            f"The model {pipeline.model} has changed since the picture was painted, "
            "so it cannot be painted again exactly."
        )
    return pipeline


def _report(path: Path, layer: Layer) -> str:
    recipe = layer.recipe
    assert recipe is not None
    size = f"{layer.image.width} × {layer.image.height}"
    if (layer.image.width, layer.image.height) != (recipe.width, recipe.height):
        before = f"{recipe.width} × {recipe.height}"
        enlarged = recipe.mode == "upscale"
        size += f" (enlarged from {before})" if enlarged else f" (painted at {before} and scaled)"
    seed = f", seed {recipe.seed}" if mode_row(recipe.mode).prompted else ""
    return f"{path}: {layer.name}, {size}{seed}"


def _warn(console: Console, layer: Layer) -> None:
    from acetate.images.alpha import alpha_warning

    recipe = layer.recipe
    expected = recipe is not None and mode_row(recipe.mode).opaque
    prompted = recipe is None or mode_row(recipe.mode).prompted
    if layer.role is not Role.FOREGROUND or expected:
        return
    if warning := alpha_warning(layer.image, prompted):
        console.print(warning)


@contextmanager
def _progress(console: Console) -> Generator[Callable[[int, int], None]]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("Painting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        task = progress.add_task("painting", total=None)

        def show(step: int, steps: int) -> None:
            # A preview, and news of the connection, have no step.
            if steps:
                progress.update(task, completed=step, total=steps)

        yield show
