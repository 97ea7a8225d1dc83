from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from acetate.modes import run
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge.protocol.types import Image, Layer, Recipe, Request

RECIPE = Recipe("text", "a red apple", seed=7, steps=2, width=64, height=64)
OBJECT = torch.zeros(1, 4, 64, 64)
OBJECT[..., 16:48, 16:48] = 1
OPAQUE, EMPTY = torch.ones(1, 4, 64, 64), torch.zeros(1, 4, 64, 64)


@pytest.fixture
def said(tiny_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    heard: list[str] = []
    monkeypatch.setattr(tiny_pipeline.ladder, "on_relief", heard.append)
    return heard


def decoding(pipeline: Pipeline, patch: pytest.MonkeyPatch, *layers: Tensor) -> list[Tensor]:
    """Let the pipeline decode these one after the other; what is left of them."""
    left = list(layers)
    patch.setattr(pipeline, "decode_layer", lambda latent, passes: left.pop(0))
    return left


def seed_of(layer: Layer) -> int:
    assert layer.recipe is not None
    return layer.recipe.seed


@pytest.mark.parametrize(("wrong", "word"), [(OPAQUE, "without transparency"), (EMPTY, "empty")])
def test_another_seed_is_tried_once_and_said(
    tiny_pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
    said: list[str],
    wrong: Tensor,
    word: str,
) -> None:
    left = decoding(tiny_pipeline, monkeypatch, wrong, OBJECT)
    (layer,) = run(Request(RECIPE), tiny_pipeline)
    assert not left and seed_of(layer) == 23
    assert 0 in layer.image.data[3::4] and 255 in layer.image.data[3::4]
    assert len(said) == 1 and word in said[0] and "seed 23" in said[0]


def test_what_is_wrong_twice_keeps_the_seed_that_was_asked_for(
    tiny_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    left = decoding(tiny_pipeline, monkeypatch, OPAQUE, EMPTY, OBJECT)
    (layer,) = run(Request(RECIPE), tiny_pipeline)
    assert len(left) == 1 and seed_of(layer) == 7 and set(layer.image.data[3::4]) == {255}
    assert "two seeds" in said[-1]


def test_an_object_is_painted_once(
    tiny_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    left = decoding(tiny_pipeline, monkeypatch, OBJECT, OPAQUE)
    (layer,) = run(Request(RECIPE), tiny_pipeline)
    assert len(left) == 1 and seed_of(layer) == 7 and not said


def test_variants_take_second_seeds_of_their_own(
    tiny_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    decoding(tiny_pipeline, monkeypatch, OPAQUE, OBJECT, OPAQUE, OBJECT)
    layers = run(Request(RECIPE, variants=2), tiny_pipeline)
    assert [seed_of(layer) for layer in layers] == [23, 24]


@pytest.mark.parametrize("keep", [True, False])
def test_a_layer_that_was_opaque_may_stay_so(
    tiny_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, said: list[str], keep: bool
) -> None:
    left = decoding(tiny_pipeline, monkeypatch, OPAQUE, OBJECT)
    recipe = replace(RECIPE, mode="refine", strength=0.5, keep_transparency=keep)
    run(Request(recipe, {"layer": Image(64, 64, b"\xff" * 64 * 64 * 4)}), tiny_pipeline)
    assert len(left) == 1 and not said
