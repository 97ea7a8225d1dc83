"""Repainting layers with the embedded model: never red, never opaque, and hardly when so asked."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from acetate.images.tensors import to_image, to_tensor
from acetate.modes import run
from acetate.modes.refine import with_alpha_of
from acetate.pipelines.loading import load_pipeline
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge.protocol.types import Image, Recipe, Request
from tests.support.refining import fidelity, layers, refined

pytestmark = [pytest.mark.slow, pytest.mark.matrix]
SHAPES = tuple(layers(16))
STRENGTHS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75)
"""Each with every other shape, so that each shape has weak and strong ones; 1 has all of them."""


@pytest.fixture(scope="module")
def embedded() -> Pipeline:
    return load_pipeline("embedded", "cpu")


@pytest.mark.parametrize("name", SHAPES)
def test_towards_strength_zero_the_layer_comes_back(embedded: Pipeline, name: str) -> None:
    source = layers(embedded.native)[name]
    known = embedded.decode_layer(embedded.encode_layer(to_tensor(source)), 1)
    best = fidelity(to_tensor(source), known)
    for strength, loss in ((1e-4, 0.05), (0.001, 0.5), (0.01, 1.5)):
        found = fidelity(to_tensor(source), refined(embedded, source, strength))
        # As near as the model's own round trip, in decibels of premultiplied colour and alpha.
        assert found.colour > best.colour - loss and found.alpha > best.alpha - loss
        assert found.colour > 24 and found.alpha > 18


@pytest.mark.parametrize("name", SHAPES)
def test_no_strength_turns_a_layer_red_or_opaque(embedded: Pipeline, name: str) -> None:
    source = layers(embedded.native)[name]
    before = to_tensor(source)
    for strength in (*STRENGTHS[SHAPES.index(name) % 2 :: 2], 1.0):
        after = refined(embedded, source, strength)
        clear = float((after[:, 3] < 0.05).float().mean())
        assert clear > 0.25, f"opaque at {strength}"
        shown = (after[:, :3] * after[:, 3:]).mean((0, 2, 3))
        given = (before[:, :3] * before[:, 3:]).mean((0, 2, 3))
        redder = (shown[0] - shown[1:].mean()) - (given[0] - given[1:].mean()).clamp_min(0)
        assert redder < 0.08, f"red at {strength}"


def test_the_transparency_stays_to_the_last_bit_where_it_is_kept(embedded: Pipeline) -> None:
    for pixel_format in ("rgba8", "rgba16"):
        source = to_image(to_tensor(layers(embedded.native)["soft"]), pixel_format)
        side = embedded.native
        recipe = Recipe(
            "refine", "a blue ball", seed=5, steps=4, strength=0.8, width=side, height=side,
            passes=1, keep_transparency=True,
        )  # fmt: skip
        (layer,) = run(Request(recipe, {"layer": source}, pixel_format=pixel_format), embedded)
        assert alpha_of(layer.image).tolist() == alpha_of(source).tolist()
        assert layer.image.data != source.data


def test_colour_is_continued_where_the_repainted_layer_is_clear() -> None:
    repainted = torch.zeros(1, 4, 32, 32)
    repainted[:, :, 8:24, 8:24] = torch.tensor([0.2, 0.4, 0.9, 1.0])[None, :, None, None]
    source = torch.ones(1, 4, 32, 32)
    whole = with_alpha_of(source, repainted)
    assert torch.equal(whole[:, 3:], source[:, 3:])
    expected = torch.tensor([0.2, 0.4, 0.9])[None, :, None, None].expand(1, 3, 32, 32)
    assert (whole[:, :3] - expected).abs().max() < 1e-4


def test_a_second_pass_at_twice_the_size_keeps_the_layer(embedded: Pipeline) -> None:
    source = layers(embedded.native * 2)["glass"]
    after = refined(embedded, source, 0.2)
    assert after.shape[-1] == 2 * embedded.native
    found = fidelity(to_tensor(source), after)
    assert found.colour > 20 and found.alpha > 16
    assert float((after[:, 3] < 0.05).float().mean()) > 0.25


def alpha_of(image: Image) -> Tensor:
    dtype = np.dtype("u1" if image.format == "rgba8" else "<u2")
    return torch.from_numpy(np.frombuffer(image.data, dtype)[3::4].astype(np.int64))
