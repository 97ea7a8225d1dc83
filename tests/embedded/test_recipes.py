"""An old picture is painted again to its bytes, or its recipe is told which files it needs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acetate.embedded.beginnings import ATTRIBUTES
from acetate.models.used_files import FilesDiffer
from acetate.modes import run
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge.protocol.types import Layer, Recipe, Request


def paint(pipeline: Pipeline, recipe: Recipe) -> Layer:
    (layer,) = run(Request(recipe), pipeline)
    return layer


def first(pipeline: Pipeline, prompt: str) -> Layer:
    side = pipeline.limits.smallest
    return paint(
        pipeline, Recipe("text", prompt, seed=5, steps=1, passes=1, width=side, height=side)
    )


def recipe_of(layer: Layer) -> Recipe:
    assert layer.recipe is not None
    return layer.recipe


@pytest.mark.parametrize("prompt", ["a red apple", "a striped umbrella"])
def test_a_recipe_is_painted_again_to_the_byte(embedded_pipeline: Pipeline, prompt: str) -> None:
    layer = first(embedded_pipeline, prompt)
    again = paint(embedded_pipeline, recipe_of(layer))
    assert again.image == layer.image and again.recipe == layer.recipe


def test_a_recipe_names_its_drawing(embedded_pipeline: Pipeline) -> None:
    files = recipe_of(first(embedded_pipeline, "a red apple")).files
    (drawing,) = (name for name in files if name.startswith("memory/"))
    assert "apple" in drawing and len(files[drawing]) == 64


@pytest.mark.parametrize("part", ["unet/model.safetensors", "transparency/decoder.safetensors"])
def test_a_recipe_of_an_earlier_model_is_told_what_has_changed(
    embedded_pipeline: Pipeline, part: str
) -> None:
    recipe = recipe_of(first(embedded_pipeline, "a red apple"))
    earlier = replace(recipe, files={**recipe.files, part: "0" * 64})
    with pytest.raises(FilesDiffer, match=f"{part} has changed"):
        paint(embedded_pipeline, earlier)


def test_a_recipe_of_another_drawing_is_told_which(embedded_pipeline: Pipeline) -> None:
    recipe = recipe_of(first(embedded_pipeline, "a red apple"))
    (drawing,) = (name for name in recipe.files if name.startswith("memory/"))
    others = {name: sha256 for name, sha256 in recipe.files.items() if name != drawing}
    with pytest.raises(FilesDiffer, match=f"{drawing} has changed"):
        paint(embedded_pipeline, replace(recipe, files={**recipe.files, drawing: "0" * 64}))
    with pytest.raises(FilesDiffer, match=r"with memory/noto/pear, which is missing"):
        paint(embedded_pipeline, replace(recipe, files={**others, "memory/noto/pear": "0" * 64}))


def test_a_recipe_from_before_its_words_were_followed_is_told_so(
    embedded_pipeline: Pipeline,
) -> None:
    recipe = recipe_of(first(embedded_pipeline, "a copper teapot"))
    earlier = {name: sha256 for name, sha256 in recipe.files.items() if name != ATTRIBUTES}
    with pytest.raises(FilesDiffer, match=f"painted without {ATTRIBUTES}"):
        paint(embedded_pipeline, replace(recipe, files=earlier))
    assert ATTRIBUTES not in recipe_of(first(embedded_pipeline, "a wooden chair")).files
