"""`acetate generate`: one command for each mode, and painting again from a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from acetate.cli import options
from acetate.cli.options import Precision, parse_size
from acetate.cli.order import Order, drawn_seed
from acetate.cli.painting import carry_out
from acetate.errors import BadRequest
from acetate.pixels.files import read_image, read_recipe
from acetate_bridge.geometry import Size
from acetate_bridge.messages import PixelFormat, Recipe

generate = typer.Typer(
    help="Paint layers from a prompt, around a layer, or again from a recipe.",
    invoke_without_command=True,
)

_FORMATS: dict[Precision, PixelFormat] = {Precision.EIGHT: "rgba8", Precision.SIXTEEN: "rgba16"}


@generate.callback()
def again(
    context: typer.Context,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="PNG painted by Acetate: paint it again from its recipe."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="PNG file to write.")
    ] = None,
    layer: Annotated[
        Path | None, typer.Option(help="The layer that the picture was painted around, if any.")
    ] = None,
    model: Annotated[
        str, typer.Option(help="Model id or folder; the recipe's own by default.")
    ] = "",
    device: options.Device = "auto",
) -> None:
    """Paint layers from a prompt, around a layer, or again from a recipe."""
    if context.invoked_subcommand is not None:
        return
    if source is None or output is None:
        raise BadRequest("Name a mode (text, background), or a picture with --from and -o.")
    picture = read_image(source)
    recipe = read_recipe(source)
    carry_out(
        Order(
            recipe,
            output,
            model=model or recipe.model,
            device=device,
            size=Size(picture.width, picture.height),
            steps=recipe.steps,
            guidance=recipe.guidance,
            pixel_format=picture.format,
            images={} if layer is None else {"layer": read_image(layer)},
        )
    )


@generate.command()
def text(
    prompt: Annotated[str, typer.Argument(help="What to paint.")],
    output: options.Output,
    avoid: options.Avoid = "",
    seed: options.Seed = None,
    variants: options.Variants = 1,
    steps: options.Steps = None,
    guidance: options.Guidance = None,
    size: Annotated[
        str | None, typer.Option(help="Pixels, as 256 or 320x256; the model's own by default.")
    ] = None,
    passes: options.Passes = 8,
    model: options.Model = "embedded",
    device: options.Device = "auto",
    precision: options.Bits = Precision.EIGHT,
    server: options.Server = "",
) -> None:
    """Generate a layer."""
    carry_out(
        Order(
            Recipe("text", prompt, negative_prompt=avoid, seed=drawn_seed(seed), passes=passes),
            output,
            model=model,
            device=device,
            size=None if size is None else parse_size(size),
            steps=steps,
            guidance=guidance,
            variants=variants,
            pixel_format=_FORMATS[precision],
            server=server,
        )
    )


@generate.command()
def background(
    layer: Annotated[Path, typer.Argument(help="PNG of the layer that stands in front.")],
    prompt: Annotated[str, typer.Argument(help="What is behind it.")],
    output: options.Output,
    scene: Annotated[
        Path | None, typer.Option(help="PNG file for the layer over its new background.")
    ] = None,
    avoid: options.Avoid = "",
    seed: options.Seed = None,
    variants: options.Variants = 1,
    steps: options.Steps = None,
    guidance: options.Guidance = None,
    model: options.Model = "embedded",
    device: options.Device = "auto",
    precision: options.Bits = Precision.EIGHT,
    server: options.Server = "",
) -> None:
    """Fill the background around a layer."""
    picture = read_image(layer)
    order = Order(
        Recipe("background", prompt, negative_prompt=avoid, seed=drawn_seed(seed)),
        output,
        model=model,
        device=device,
        size=Size(picture.width, picture.height),
        steps=steps,
        guidance=guidance,
        variants=variants,
        pixel_format=_FORMATS[precision],
        images={"layer": picture},
        scene=scene,
        server=server,
    )
    carry_out(order)
