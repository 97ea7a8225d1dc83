"""What the generating commands have in common: from an order to files on the disk."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from acetate.errors import BadRequest
from acetate.modes.checks import MOST_VARIANTS, check_recipe
from acetate.pixels.files import check_writable, write_image
from acetate_bridge.geometry import Frame, FrameLimits, Rect, Size, plan_frame
from acetate_bridge.messages import Image, Layer, PixelFormat, Recipe, Request, Role

if TYPE_CHECKING:
    from acetate.pipelines.pipeline import Pipeline
    from acetate.pipelines.sampling import OnStep, Step

SMALLEST_SIDE = 64
DRAWN_SEEDS = 2**32


@dataclass(frozen=True)
class Order:
    """A recipe whose frame is still open, with everything around it that is not the picture's.

    `size` is the size to return (None: the model's native one). `steps` and `guidance` of None
    take the model's own. `recipe.model_hash`, where set, must be the model's.
    """

    recipe: Recipe
    output: Path
    model: str
    device: str = "auto"
    size: Size | None = None
    steps: int | None = None
    guidance: float | None = None
    variants: int = 1
    pixel_format: PixelFormat = "rgba8"
    images: dict[str, Image] = field(default_factory=dict[str, Image])
    scene: Path | None = None


def carry_out(order: Order) -> None:
    """Paint what was ordered and write it. Raises AcetateError, most of it before any work."""
    _check(order)
    console = Console(stderr=True)
    with console.status("Loading the model…"):
        pipeline = _load(order)
    request = _request(order, pipeline)
    assert request.frame is not None
    with _progress(console) as on_step:
        from acetate.modes import run_each
        from acetate.workers.placement import place_layer

        outputs = _numbered(order.output, order.variants)
        for index, layers in enumerate(run_each(request, pipeline, on_step)):
            layer = place_layer(layers[0], request.frame)
            write_image(outputs[index], layer.image, layer.recipe)
            print(_report(outputs[index], layer))
            if order.scene is not None:
                scene = _numbered(order.scene, order.variants)[index]
                write_image(scene, compose(order.images["layer"], layer.image), layer.recipe)
                print(f"{scene}: the layer over it")
            _warn(console, layer)


def compose(front: Image, back: Image) -> Image:
    """A straight-alpha layer over an opaque one of the same size, with the depth of the back."""
    from acetate.latent_transparency import composite_over
    from acetate.pixels.tensors import opaque, to_image, to_tensor

    return to_image(opaque(composite_over(to_tensor(front), to_tensor(back)[:, :3])), back.format)


def drawn_seed(seed: int | None) -> int:
    """The seed that was given, or a random one."""
    return secrets.randbelow(DRAWN_SEEDS) if seed is None else seed


def _check(order: Order) -> None:
    check_recipe(_with_numbers(order, 20, 3.0))
    if not 1 <= order.variants <= MOST_VARIANTS:
        raise BadRequest(f"Ask for 1 to {MOST_VARIANTS} variants, not {order.variants}.")
    for path in (order.output, order.scene):
        if path is None:
            continue
        if path.suffix.lower() != ".png":
            raise BadRequest(f"Layers are written as PNG: {path} should end in .png.")
        for numbered in _numbered(path, order.variants):
            check_writable(numbered)


def _with_numbers(order: Order, steps: int, guidance: float) -> Recipe:
    return replace(
        order.recipe,
        steps=steps if order.steps is None else order.steps,
        guidance=guidance if order.guidance is None else order.guidance,
    )


def _load(order: Order) -> Pipeline:
    from acetate.models import load_folder, load_pipeline

    folder = Path(order.model)
    if folder.is_dir():
        pipeline = load_folder(folder, order.device)
    else:
        pipeline = load_pipeline(order.model, order.device)
    if order.recipe.model_hash not in ("", pipeline.model_hash):
        raise BadRequest(
            f"The model {pipeline.model} has changed since the picture was painted, "
            "so it cannot be painted again exactly."
        )
    return pipeline


def _request(order: Order, pipeline: Pipeline) -> Request:
    size = order.size or Size(pipeline.native, pipeline.native)
    if not order.images:
        _check_size(size, pipeline.limits)
    frame = plan_frame(Rect(0, 0, size.width, size.height), pipeline.limits)
    recipe = replace(
        _with_numbers(order, pipeline.default_steps, pipeline.default_guidance),
        width=frame.size.width,
        height=frame.size.height,
    )
    images = {name: _on_frame(image, frame) for name, image in order.images.items()}
    if order.recipe.inputs:
        _check_inputs(order.recipe.inputs, images)
    return Request(recipe, images, order.variants, order.pixel_format, frame)


def _check_size(size: Size, limits: FrameLimits) -> None:
    if not all(SMALLEST_SIDE <= side <= limits.highest for side in (size.width, size.height)):
        raise BadRequest(
            f"This model does not paint {size.width} × {size.height} pixels: "
            f"each side must lie between {SMALLEST_SIDE} and {limits.highest}."
        )


def _on_frame(image: Image, frame: Frame) -> Image:
    """A picture of the frame's region as the model sees it, with transparency around."""
    from acetate.workers.placement import show_frame

    dtype = np.dtype("u1" if image.format == "rgba8" else "<u2")
    canvas = np.zeros((frame.canvas.height, frame.canvas.width, 4), dtype)
    inside = frame.crop
    samples = np.frombuffer(image.data, dtype).reshape(image.height, image.width, 4)
    canvas[inside.y : inside.bottom, inside.x : inside.right] = samples
    whole = Image(frame.canvas.width, frame.canvas.height, canvas.tobytes(), image.format)
    return show_frame(whole, frame)


def _check_inputs(expected: dict[str, str], images: dict[str, Image]) -> None:
    from acetate.modes.running import image_hash

    for name, wanted in expected.items():
        if name not in images:
            raise BadRequest(f"The picture was painted with another one: name it with --{name}.")
        if image_hash(images[name]) != wanted:
            raise BadRequest(f"The picture given with --{name} is not the one it was painted with.")


def _numbered(path: Path, variants: int) -> list[Path]:
    if variants == 1:
        return [path]
    return [path.with_stem(f"{path.stem}-{index}") for index in range(1, variants + 1)]


def _report(path: Path, layer: Layer) -> str:
    recipe = layer.recipe
    assert recipe is not None
    size = f"{layer.image.width} × {layer.image.height}"
    if (layer.image.width, layer.image.height) != (recipe.width, recipe.height):
        size += f" (painted at {recipe.width} × {recipe.height})"
    return f"{path}: {layer.name}, {size}, seed {recipe.seed}"


def _warn(console: Console, layer: Layer) -> None:
    from acetate.pixels.alpha import alpha_warning

    if layer.role is Role.FOREGROUND and (warning := alpha_warning(layer.image)):
        console.print(warning)


@contextmanager
def _progress(console: Console) -> Iterator[OnStep]:
    columns = (TextColumn("Painting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        task = progress.add_task("painting", total=None)

        def on_step(step: Step) -> None:
            progress.update(task, completed=step.index, total=step.total)

        yield on_step
