"""Carrying an order out: here or at a server, with progress, into files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from acetate.cli.request import Order, check, plan_request
from acetate.errors import BadRequest
from acetate.images.files import write_image
from acetate.models.families import FAMILIES
from acetate_bridge.protocol.types import Image, Layer, Role

if TYPE_CHECKING:
    from acetate.pipelines.pipeline import Pipeline

LOCAL_SERVER = "local"


def carry_out(order: Order, loaded: Pipeline | None = None) -> None:
    """Paint what was ordered and write it, with a model that is loaded already, if any.

    Raises AcetateError, most of it before any work.
    """
    from acetate.images.frame import keep_alpha

    check(order)
    console = Console(stderr=True)
    variants = _paint_there(order, console) if order.server else _paint_here(order, console, loaded)
    scenes = order.scenes()
    for index, (output, layers) in enumerate(zip(order.outputs(), variants, strict=True)):
        if order.recipe.keep_transparency:
            layers = [keep_alpha(layer, order.images["layer"]) for layer in layers]
        for layer in layers:
            path = output if layer is layers[0] else _beside(output, layer.role)
            write_image(path, layer.image, layer.recipe)
            print(_report(path, layer))
            _warn(console, layer)
        if scenes:
            scene = _scene(order, layers[0].image)
            write_image(scenes[index], scene, layers[0].recipe)
            print(f"{scenes[index]}: both together")


def compose(front: Image, back: Image) -> Image:
    """A straight-alpha layer over an opaque one of the same size, with the depth of the back."""
    from acetate.images.tensors import opaque, to_image, to_tensor
    from acetate.latent_transparency import composite_over

    return to_image(opaque(composite_over(to_tensor(front), to_tensor(back)[:, :3])), back.format)


def stack(front: Image, back: Image) -> Image:
    """A straight-alpha layer over another of the same size, with the depth of the front."""
    import torch

    from acetate.images.tensors import bleed, to_image, to_tensor

    over, under = to_tensor(front), to_tensor(back)
    shown = under[:, 3:] * (1 - over[:, 3:])
    alpha = over[:, 3:] + shown
    colour = (over[:, :3] * over[:, 3:] + under[:, :3] * shown) / alpha.clamp_min(1e-6)
    return to_image(bleed(torch.cat([colour, alpha], dim=1)), front.format)


def _scene(order: Order, painted: Image) -> Image:
    if "picture" in order.images:
        return stack(painted, order.images["picture"])
    return compose(order.images["layer"], painted)


def _beside(path: Path, role: Role) -> Path:
    """Where a further layer of a result goes."""
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
    request = plan_request(order, family, pipeline.native, pipeline.limits, pipeline.preset)
    assert request.frame is not None
    from acetate.images.frame import place_layer
    from acetate.modes import run_each

    with _progress(console) as show:
        for layers in run_each(request, pipeline, lambda step: show(step.index, step.total)):
            yield [place_layer(layer, request.frame) for layer in layers]


def _paint_there(order: Order, console: Console) -> Iterator[list[Layer]]:
    """The same at a server, which gives all variants together."""
    from acetate.cli.remote import generate_on_server
    from acetate.models.registry import model_named

    entry = model_named(order.model)
    request = plan_request(
        order, FAMILIES[entry.family], entry.native, entry.frame, entry.scheduler
    )
    request = replace(request, recipe=replace(request.recipe, model=entry.id))
    with _progress(console) as show:
        layers = generate_on_server(
            request,
            lambda progress: show(progress.step, progress.steps),
            address=None if order.server == LOCAL_SERVER else order.server,
        )
    each = len(layers) // order.variants
    for index in range(order.variants):
        yield layers[index * each : (index + 1) * each]


def load(order: Order) -> Pipeline:
    """The model of an order, held to the hashes of its recipe. Raises AcetateError."""
    from acetate.pipelines.loading import load_folder, load_pipeline

    folder = Path(order.model)
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
        size += f" (painted at {recipe.width} × {recipe.height})"
    return f"{path}: {layer.name}, {size}, seed {recipe.seed}"


def _warn(console: Console, layer: Layer) -> None:
    from acetate.images.alpha import alpha_warning

    if layer.role is Role.FOREGROUND and (warning := alpha_warning(layer.image)):
        console.print(warning)


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("Painting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        task = progress.add_task("painting", total=None)

        def show(step: int, steps: int) -> None:
            progress.update(task, completed=step, total=steps or None)

        yield show
