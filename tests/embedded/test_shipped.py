"""What the shipped weights promise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from acetate.images.alpha import alpha_warning
from acetate.images.tensors import to_tensor
from acetate.modes import run
from acetate.pipelines.loading import load_pipeline
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge.protocol.types import Image, Layer, Recipe, Request
from tests.support.halo import halo

PROMPTS = ("a red apple", "a blue car", "a yellow star")
MOST_HALO = 0.06


@pytest.fixture(scope="module")
def shipped() -> Pipeline:
    return load_pipeline("embedded", "cpu")


def paint(pipeline: Pipeline, prompt: str, mode: str = "text", **images: Image) -> Layer:
    size = pipeline.native
    recipe = Recipe(mode, prompt, seed=7, steps=8, guidance=1.0, width=size, height=size, passes=1)
    (layer,) = run(Request(recipe, images), pipeline)
    return layer


@pytest.mark.parametrize("prompt", PROMPTS)
def test_layers_are_cut_out_without_a_halo(shipped: Pipeline, prompt: str) -> None:
    layer = paint(shipped, prompt)
    assert alpha_warning(layer.image) == ""
    rgba = to_tensor(layer.image)
    alpha = rgba[:, 3]
    assert (alpha < 0.02).float().mean() > 0.1
    assert (alpha > 0.98).float().mean() > 0.1
    assert max(halo(rgba).values()) < MOST_HALO


def test_a_red_apple_is_red(shipped: Pipeline) -> None:
    rgba = to_tensor(paint(shipped, "a red apple").image)
    red, green, blue = rgba[0, :3, rgba[0, 3] > 0.9].mean(dim=1)
    assert red > green + 0.2 and red > blue + 0.2


def test_a_background_answers_to_its_layer(shipped: Pipeline) -> None:
    apple = paint(shipped, "a red apple").image
    clear = Image(apple.width, apple.height, bytes(len(apple.data)))
    around, alone = (
        np.frombuffer(
            paint(shipped, "green hills under a blue sky", "background", layer=layer).image.data,
            np.uint8,
        )
        for layer in (apple, clear)
    )
    assert around.std() > 10
    assert not np.array_equal(around, alone)


def test_the_identity_property_holds_on_a_real_layer(shipped: Pipeline) -> None:
    rgba = to_tensor(paint(shipped, "a red apple").image)
    again = shipped.decode_layer(shipped.encode_layer(rgba), passes=1)
    assert (again[:, 3] - rgba[:, 3]).abs().mean() < 0.03
    assert torch.isfinite(again).all()
