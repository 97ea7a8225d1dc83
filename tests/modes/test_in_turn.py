"""Layers one after another: each in view of those before, each with a recipe of its own."""

from __future__ import annotations

from acetate.images.stacking import stack
from acetate.modes import run
from acetate.modes.foreground import paint
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import Step
from acetate_bridge.protocol.types import Image, Recipe, Request, Role

SIDE = 64
GROUND = Image(SIDE, SIDE, bytes((30, 90, 160, 255)) * (SIDE * SIDE))
RECIPE = Recipe(
    "foreground", "a boat", then=["a gull", "a sun"], seed=7, steps=2, width=SIDE, height=SIDE
)


def test_each_layer_is_what_it_is_alone_on_those_before(tiny_pipeline: Pipeline) -> None:
    steps: list[Step] = []
    layers = paint(Request(RECIPE, {"picture": GROUND}), tiny_pipeline, steps.append)
    assert [layer.role for layer in layers] == [Role.FOREGROUND] * 3
    assert [layer.name for layer in layers] == ["boat", "gull", "sun"]
    recipes = [layer.recipe for layer in layers if layer.recipe is not None]
    assert [recipe.prompt for recipe in recipes] == ["a boat", "a gull", "a sun"]
    first = recipes[0].seed
    assert [recipe.seed for recipe in recipes] == [first, first + 1, first + 2]
    picture = GROUND
    for layer, recipe in zip(layers, recipes, strict=True):
        assert recipe.then == []
        alone = paint(Request(recipe, {"picture": picture}), tiny_pipeline)[0]
        assert alone.image == layer.image
        picture = stack(layer.image, picture)
    assert steps[-1].index == steps[-1].total


def test_a_request_is_run_to_the_end_with_its_files_in_each_recipe(
    tiny_pipeline: Pipeline,
) -> None:
    layers = run(Request(RECIPE, {"picture": GROUND}), tiny_pipeline)
    assert [layer.recipe.prompt for layer in layers if layer.recipe] == [
        "a boat", "a gull", "a sun",
    ]  # fmt: skip
    assert all(layer.recipe and layer.recipe.files for layer in layers)
