"""Paints what `make demo` shows: a layer, a background, both together, layers at once, a sheet."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch.nn.functional import pad

from acetate.cli.console import make_safe, say
from acetate.demo.prompts import FILL, JOINT, LAYER, SCENE, SEED
from acetate.embedded.sheet import SHEET
from acetate.errors import AcetateError
from acetate.images.files import write_image
from acetate.images.tensors import opaque, to_image, to_tensor
from acetate.latent_transparency import checkerboard, composite_over
from acetate.models.families import FAMILIES
from acetate.modes import run
from acetate.pipelines.loading import load_pipeline
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge.protocol.types import Image, Layer, Recipe, Request

COLUMNS = 6
CELL = 16
"""Side of a square of the checkerboard, in pixels."""
GAP = 8


def main(folder: Path) -> None:
    """Write the pictures into the folder and print a line for each."""
    folder.mkdir(parents=True, exist_ok=True)
    pipeline = load_pipeline()
    layer = paint(pipeline, "text", LAYER)
    keep(folder / "layer.png", layer.image, f"“{LAYER}”", layer.recipe)
    background = paint(pipeline, "background", SCENE, {"layer": layer.image})
    keep(folder / "background.png", background.image, f"“{SCENE}”", background.recipe)
    scene = composite_over(to_tensor(layer.image), to_tensor(background.image)[:, :3])
    words = "the layer over its background"
    keep(folder / "scene.png", to_image(opaque(scene)), words, background.recipe)
    mask = spot(pipeline.native)
    filled = paint(pipeline, "fill", FILL, {"layer": background.image, "mask": mask})
    words = f"“{FILL}” painted into a selection of the background"
    keep(folder / "fill.png", filled.image, words, filled.recipe)
    for part in paint_all(pipeline, Recipe("joint", JOINT["foreground"], layer_prompts=JOINT)):
        words = f"“{JOINT['foreground']}” before “{JOINT['background']}”, painted together"
        keep(folder / f"joint-{part.role.value}.png", part.image, words, part.recipe)
    painted = [paint(pipeline, "text", prompt) for prompt in SHEET]
    recipes = [layer.recipe for layer in painted if layer.recipe is not None]
    words = f"{len(SHEET)} prompts, left to right, line by line"
    keep(folder / "sheet.png", make_sheet([layer.image for layer in painted]), words, recipes)


def paint(
    pipeline: Pipeline, mode: str, prompt: str, images: dict[str, Image] | None = None
) -> Layer:
    """One result at the model's native size."""
    (layer,) = paint_all(pipeline, Recipe(mode, prompt), images)
    return layer


def paint_all(
    pipeline: Pipeline, recipe: Recipe, images: dict[str, Image] | None = None
) -> list[Layer]:
    """All layers of a recipe, with what suits the model where the recipe leaves it open."""
    family = FAMILIES[pipeline.family]
    recipe = replace(
        recipe,
        seed=SEED,
        width=pipeline.native,
        height=pipeline.native,
        steps=family.steps,
        guidance=family.guidance,
        passes=family.passes,
    )
    return run(Request(recipe, images or {}), pipeline)


def spot(side: int) -> Image:
    """A selection: white in the lower middle of a black square."""
    shape = torch.zeros(1, 4, side, side)
    shape[:, 3] = 1
    shape[:, :3, side * 2 // 5 : side * 9 // 10, side // 4 : side * 3 // 4] = 1
    return to_image(shape)


def make_sheet(images: list[Image]) -> Image:
    """All pictures on checkerboards, side by side with a gap between."""
    tiles = [
        pad(
            composite_over(to_tensor(image), checkerboard(image.height, image.width, CELL)),
            (0, GAP, 0, GAP),
            value=1.0,
        )
        for image in images
    ]
    blank = torch.ones_like(tiles[0])
    tiles += [blank] * (-len(tiles) % COLUMNS)
    rows = [
        torch.cat(tiles[start : start + COLUMNS], dim=3) for start in range(0, len(tiles), COLUMNS)
    ]
    return to_image(opaque(torch.cat(rows, dim=2)))


def keep(path: Path, image: Image, words: str, recipe: Recipe | list[Recipe] | None) -> None:
    """Write a picture and say so."""
    write_image(path, image, recipe)
    say(f"{path}: {words}, {image.width} × {image.height}")


if __name__ == "__main__":
    make_safe()
    try:
        main(Path(sys.argv[1]))
    except AcetateError as error:
        sys.exit(f"{error.message} {error.hint}".strip())
