from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from acetate.errors import BadRequest
from acetate.modes import run
from acetate.modes.decompose import at_size
from acetate.pipelines.loading import load_folder
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import Interrupted, Step
from acetate_bridge.protocol.types import Image, Recipe, Request, Role
from tests.support.tiny_layered import paint_small, write_tiny_layered

SIZE = (640, 480)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = write_tiny_layered(tmp_path_factory.mktemp("layered") / "tiny")
    return load_folder(folder, "cpu")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    paint_small(monkeypatch)


def request(layers: int = 3) -> Request:
    samples = np.full((SIZE[1], SIZE[0], 4), 255, np.uint8)
    samples[100:300, 200:400, :3] = (200, 30, 30)
    width, height = SIZE
    recipe = Recipe(
        "decompose", "a red square on white", seed=3, steps=2, guidance=4.0, layers=layers
    )
    recipe = replace(recipe, width=width, height=height)
    return Request(recipe, {"picture": Image(width, height, samples.tobytes())})


@pytest.mark.usefixtures("small")
def test_a_picture_becomes_a_stack_of_layers_of_its_size(pipeline: Pipeline) -> None:
    steps: list[Step] = []
    seen: list[torch.Tensor] = []

    def look(step: Step) -> None:
        steps.append(step)
        seen.append(step.preview())

    layers = run(request(), pipeline, look)
    # What is lifted off is seen, and not the picture that came.
    assert all(each.shape[:2] == (1, 4) for each in seen) and not torch.equal(*seen)
    assert all(max(each.shape[-2:]) < SIZE[0] for each in seen)
    assert [layer.role for layer in layers] == [Role.BACKGROUND, Role.FOREGROUND, Role.FOREGROUND]
    assert [(layer.image.width, layer.image.height) for layer in layers] == [SIZE] * 3
    assert [layer.name for layer in layers] == [f"red square on white {n}" for n in (1, 2, 3)]
    assert [(step.index, step.total) for step in steps] == [(1, 2), (2, 2)]
    recipe = layers[0].recipe
    assert recipe is not None and recipe.layers == 3
    assert "transformer/diffusion_pytorch_model.safetensors" in recipe.files
    again = run(replace(request(), recipe=recipe), pipeline)
    assert [layer.image.data for layer in again] == [layer.image.data for layer in layers]


def test_it_paints_at_the_area_of_the_published_model_and_stops_within_a_step(
    pipeline: Pipeline,
) -> None:
    areas: list[int] = []

    def stop(step: Step) -> None:
        height, width = step.preview().shape[-2:]
        areas.append(height * width * pipeline.latent_factor**2)
        raise Interrupted

    with pytest.raises(Interrupted):
        run(request(), pipeline, stop)
    assert len(areas) == 1 and abs(areas[0] / 640**2 - 1) < 0.05


def test_it_does_nothing_else(pipeline: Pipeline) -> None:
    with pytest.raises(BadRequest, match="cannot do the mode “text”: it does decompose"):
        run(replace(request(), recipe=replace(request().recipe, mode="text")), pipeline)


@pytest.mark.parametrize("layers", [1, 9])
def test_the_number_of_layers_has_limits(layers: int, pipeline: Pipeline) -> None:
    with pytest.raises(BadRequest, match="2 to 8 layers"):
        run(request(layers), pipeline)


def test_resizing_does_not_let_hidden_colour_bleed() -> None:
    rgba = torch.zeros(1, 4, 8, 8)
    rgba[:, 1] = 1  # Green where nothing shows,
    rgba[:, :, :, 4:] = torch.tensor([1.0, 0, 0, 1])[:, None, None]  # red where something does.
    big = at_size(rgba, 16, 16)
    visible = big[0, 3] > 0.01
    assert big[0, 0][visible].min() > 0.99 and big[0, 1][visible].max() < 0.01
