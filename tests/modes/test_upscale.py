"""Enlarging a layer as a request: its size, its depth, its bounds and how to stop it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acetate.errors import BadRequest
from acetate.images.frame_pixels import place_layer
from acetate.modes import run
from acetate.pipelines.loading import load_folder
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import Interrupted, Step
from acetate.upscaling import enlarging
from acetate_bridge.protocol.frame_planning import Frame
from acetate_bridge.protocol.geometry import Rect, Size
from acetate_bridge.protocol.types import Image, PixelFormat, Recipe, Request
from tests.support.tiny_model import write_tiny_model


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return load_folder(write_tiny_model(tmp_path_factory.mktemp("upscale") / "tiny"), "cpu")


def request(width: int, height: int, scale: int, pixel_format: PixelFormat = "rgba8") -> Request:
    top = 255 if pixel_format == "rgba8" else 65535
    samples = np.zeros((height, width, 4), "u1" if top == 255 else "<u2")
    samples[height // 4 : -(height // 4), width // 4 : -(width // 4)] = (top, top // 2, 0, top)
    layer = Image(width, height, samples.tobytes(), pixel_format)
    recipe = Recipe("upscale", width=width, height=height, scale=scale)
    return Request(recipe, {"layer": layer}, pixel_format=pixel_format)


@pytest.mark.parametrize("pixel_format", ["rgba8", "rgba16"])
@pytest.mark.parametrize("scale", [2, 4])
def test_a_layer_of_any_size_is_enlarged_without_a_prompt(
    pipeline: Pipeline, scale: int, pixel_format: PixelFormat
) -> None:
    asked = request(33, 21, scale, pixel_format)
    (layer,) = run(asked, pipeline)
    assert (layer.image.width, layer.image.height) == (33 * scale, 21 * scale)
    assert layer.image.format == pixel_format
    assert layer.recipe is not None
    assert f"realesr-animevideov3-x{scale}.safetensors" in layer.recipe.files
    assert run(replace(asked, recipe=layer.recipe), pipeline) == [layer]


def test_it_grows_in_place(pipeline: Pipeline) -> None:
    (layer,) = run(request(20, 10, 4), pipeline)
    region = Rect(-3, 40, 20, 10)
    placed = place_layer(layer, Frame(region, region, Size(20, 10)))
    assert (placed.x, placed.y) == (-3 - 30, 40 - 15)
    assert placed.image == layer.image


def test_its_steps_are_parts_of_tiles_and_it_stops_between_two(pipeline: Pipeline) -> None:
    assert enlarging.count_tiles(1025, 512) == 3
    steps: list[Step] = []

    def stop(step: Step) -> None:
        steps.append(step)
        raise Interrupted

    with pytest.raises(Interrupted):
        run(request(20, 20, 2), pipeline, stop)
    assert [(step.index, step.total) for step in steps] == [(1, 8)]
    assert steps[0].preview().shape == (1, 4, 20, 20)


def test_the_bar_of_a_single_tile_moves_and_steps_never_change_the_layer(
    pipeline: Pipeline,
) -> None:
    steps: list[Step] = []
    followed = run(request(20, 20, 2), pipeline, steps.append)
    assert [(step.index, step.total) for step in steps] == [(index, 8) for index in range(1, 9)]
    steps.clear()
    assert run(request(20, 20, 2), pipeline) == followed
    assert steps == []


@pytest.mark.parametrize(
    ("width", "scale", "sentence"),
    [(20, 3, "2 or 4 times, not 3"), (20, 1, "2 or 4 times"), (2049, 4, "8192"), (4097, 2, "8192")],
)
def test_what_cannot_be_enlarged_is_one_sentence(
    pipeline: Pipeline, width: int, scale: int, sentence: str
) -> None:
    with pytest.raises(BadRequest, match=sentence):
        run(request(width, 8, scale), pipeline)


def test_other_families_leave_it_to_upscalers_and_the_one_that_ships() -> None:
    from acetate.models.families import FAMILIES

    assert [name for name, family in FAMILIES.items() if "upscale" in family.modes] == [
        "upscaler",
        "embedded",
    ]
