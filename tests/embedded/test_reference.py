"""A painter's own picture gone by: what is meant, painted anew."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from acetate.errors import BadRequest
from acetate.images.tensors import to_image, to_tensor
from acetate.modes import run
from acetate.pipelines.pipeline import Pipeline
from acetate.workers.known_offer import embedded_model
from acetate_bridge.protocol.types import Control, Image, Recipe, Request

BOX = (slice(160, 360), slice(120, 400))


def doodle(side: int, paper: bool = False) -> Image:
    """A red box, on nothing or on paper."""
    rgba = torch.zeros(1, 4, side, side)
    rgba[:, :3] = 0.95
    rgba[:, 3] = float(paper)
    rgba[:, :, BOX[0], BOX[1]] = torch.tensor([0.8, 0.1, 0.1, 1.0]).view(1, 4, 1, 1)
    return to_image(rgba)


def paint(pipeline: Pipeline, reference: Image, prompt: str, mode: str = "text") -> Tensor:
    side = pipeline.native
    recipe = Recipe(
        mode,
        prompt,
        seed=7,
        steps=4,
        width=side,
        height=side,
        passes=1,
        control=Control("reference"),
    )
    images = {"control": reference}
    if mode != "text":
        images["layer"] = reference
    (layer,) = run(Request(recipe, images), pipeline)
    return to_tensor(layer.image)


def colour(rgba: Tensor) -> Tensor:
    return rgba[0, :3, 220:300, 200:320].mean((1, 2))


def test_a_layer_has_the_shape_of_its_reference(embedded_pipeline: Pipeline) -> None:
    side = embedded_pipeline.native
    painted = paint(embedded_pipeline, doodle(side), "a red box")
    wanted = to_tensor(doodle(side))[:, 3] > 0.5
    found = painted[:, 3] > 0.5
    assert (wanted & found).sum() > 0.9 * (wanted | found).sum()
    red, green, blue = colour(painted)
    assert red > green + 0.3 and red > blue + 0.3


def test_a_reference_on_paper_is_cut_out_and_takes_the_colour_of_the_prompt(
    embedded_pipeline: Pipeline,
) -> None:
    painted = paint(embedded_pipeline, doodle(embedded_pipeline.native, paper=True), "a blue box")
    assert painted[0, 3, :100].max() < 0.2 and painted[0, 3, 220:300, 200:320].min() > 0.8
    red, _, blue = colour(painted)
    assert blue > red + 0.2


def test_it_paints_the_same_again_and_forgets_the_reference(embedded_pipeline: Pipeline) -> None:
    reference = doodle(embedded_pipeline.native)
    first, again = (paint(embedded_pipeline, reference, "a red box") for _ in range(2))
    assert torch.equal(first, again)
    side = embedded_pipeline.native
    recipe = Recipe("text", "a cat", seed=7, steps=2, width=side, height=side, passes=1)
    (without,) = run(Request(recipe), embedded_pipeline)
    assert without.recipe is not None
    assert any(name.startswith("memory/") for name in without.recipe.files)


def test_other_modes_say_that_they_go_by_none(embedded_pipeline: Pipeline) -> None:
    with pytest.raises(BadRequest, match="text does"):
        paint(embedded_pipeline, doodle(embedded_pipeline.native), "hills", "background")


def test_other_families_say_that_they_go_by_none(tmp_path: Path) -> None:
    from acetate.pipelines.loading import load_folder
    from tests.support.tiny_families import write_tiny_sd15

    pipeline = load_folder(write_tiny_sd15(tmp_path / "sd15"), "cpu")
    control = Control("reference")
    recipe = Recipe("text", "a box", steps=1, width=128, height=128, passes=1, control=control)
    with pytest.raises(BadRequest, match="reference picture"):
        run(Request(recipe, {"control": doodle(128)}), pipeline)


def test_a_client_is_told_that_the_embedded_model_takes_one() -> None:
    assert "reference" in embedded_model().controls
