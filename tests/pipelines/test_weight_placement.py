"""A model that does not fit is kept in fewer bits, in turns or by its layers, and still paints."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from acetate.adapters.quantised_linear import QuantisedLinear
from acetate.errors import BadRequest
from acetate.models.fitting import WORKING, Bits, plan
from acetate.modes import run
from acetate.pipelines.loading import load_folder
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.stable_diffusion import StableDiffusionPipeline
from acetate.pipelines.weight_placement import VARIABLE, loading_as, place_weights, size_of
from acetate_bridge.protocol.types import Layer, Recipe, Request
from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl

pytestmark = [pytest.mark.slow, pytest.mark.matrix]
CPU = torch.device("cpu")
WRITE: dict[str, Callable[[Path], Path]] = {"sdxl": write_tiny_sdxl, "sd15": write_tiny_sd15}


@pytest.fixture(params=["sdxl", "sd15"])
def pipeline(request: pytest.FixtureRequest, tmp_path: Path) -> StableDiffusionPipeline:
    loaded = load_folder(WRITE[request.param](tmp_path / "tiny"), "cpu")
    assert isinstance(loaded, StableDiffusionPipeline)
    return loaded


LANTERN = Recipe("text", "a lantern", seed=1, steps=1, passes=1, width=128, height=128)


def layer_of(pipeline: Pipeline, recipe: Recipe = LANTERN) -> Layer:
    (layer,) = run(Request(recipe), pipeline)
    return layer


def recipe_of(layer: Layer) -> Recipe:
    assert layer.recipe is not None
    return layer.recipe


def painted(pipeline: StableDiffusionPipeline) -> Tensor:
    layer = layer_of(pipeline)
    return torch.frombuffer(bytearray(layer.image.data), dtype=torch.uint8).float()


def place(pipeline: StableDiffusionPipeline, free: float) -> None:
    small = [pipeline.denoiser, *pipeline.text_encoders]
    found = place_weights(pipeline.modules, small, CPU, pipeline.ladder, free)
    pipeline._offloading = found  # pyright: ignore[reportPrivateUsage]


def just_enough(pipeline: StableDiffusionPipeline, bits: Bits, manner: str) -> float:
    """The least memory in which the rule comes to that answer."""
    networks = [size_of(network) for network in pipeline.modules]
    whole = sum(network.bytes("16") for network in networks)
    steps = [WORKING + whole * share / 1000 for share in range(1100)]
    answers = [(free, plan(networks, free)) for free in steps]
    fitting = [
        free for free, found in answers if found and (found.bits, found.manner) == (bits, manner)
    ]
    return fitting[0]


def bits_of(pipeline: StableDiffusionPipeline) -> set[str]:
    modules = pipeline.denoiser.modules()
    return {module.bits for module in modules if isinstance(module, QuantisedLinear)}


@pytest.fixture
def small_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """What did not fit does not fit when a painting begins, either."""
    monkeypatch.setattr("acetate.pipelines.stable_diffusion.fits", lambda weights, device: False)


@pytest.mark.usefixtures("small_card")
def test_in_turns_the_layer_is_the_same_to_the_last_bit(pipeline: StableDiffusionPipeline) -> None:
    wanted = painted(pipeline)
    place(pipeline, just_enough(pipeline, "16", "turns"))
    assert pipeline._offloading is not None  # pyright: ignore[reportPrivateUsage]
    assert torch.equal(painted(pipeline), wanted)


def test_layer_by_layer_the_layer_is_the_same_to_the_last_bit(
    pipeline: StableDiffusionPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = painted(pipeline)
    monkeypatch.setattr("acetate.pipelines.stable_diffusion.fits", lambda weights, device: False)
    monkeypatch.setenv(VARIABLE, "16")
    place(pipeline, 0)
    assert torch.equal(painted(pipeline), wanted)
    monkeypatch.undo()
    assert torch.equal(painted(pipeline), wanted)  # It fits by now, and is whole again.
    assert pipeline._offloading is None  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("bits", ["8", "fp8", "4"])
def test_in_fewer_bits_it_paints_nearly_the_same_and_says_so(
    pipeline: StableDiffusionPipeline, bits: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = painted(pipeline)
    monkeypatch.setenv(VARIABLE, bits)
    place(pipeline, 10**12)
    told: list[str] = []
    pipeline.ladder.on_relief = told.append
    got = painted(pipeline)
    assert bits_of(pipeline) == {bits}
    in_words = {"8": "8 bits", "fp8": "8 bits (fp8)", "4": "4 bits"}[bits]
    assert told == [f"Weights are kept in {in_words}, as ACETATE_WEIGHTS says."]
    assert 0 < float((got - wanted).abs().mean()) < 16


@pytest.mark.parametrize("bits", ["8", "4"])
def test_the_variable_counts_where_the_whole_model_fits(
    bits: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_tiny_sd15(tmp_path / "tiny")
    exact = layer_of(load_folder(folder, "cpu"))
    monkeypatch.setenv(VARIABLE, bits)
    pipeline = load_folder(folder, "cpu")
    told: list[str] = []
    pipeline.ladder.on_relief = told.append
    layer = layer_of(pipeline)
    assert told == [f"Weights are kept in {bits} bits, as ACETATE_WEIGHTS says."]
    assert recipe_of(layer).weights == bits and layer.image != exact.image
    monkeypatch.setenv(VARIABLE, "16")
    assert layer_of(load_folder(folder, "cpu")).image == exact.image
    monkeypatch.setenv(VARIABLE, "3")
    with pytest.raises(BadRequest, match="one of 16, 8, fp8, 4, not “3”"):
        load_folder(folder, "cpu")


@pytest.mark.usefixtures("small_card")
def test_with_too_little_memory_for_any_way_the_thriftiest_is_taken(
    pipeline: StableDiffusionPipeline,
) -> None:
    place(pipeline, 0)
    assert bits_of(pipeline) == {"4"}
    assert float(painted(pipeline).std()) > 0


def test_what_is_no_number_of_bits_is_said(
    pipeline: StableDiffusionPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "3")
    with pytest.raises(BadRequest, match="one of 16, 8, fp8, 4, not “3”"):
        place(pipeline, 0)


@pytest.mark.parametrize("bits", ["8", "4"])
def test_what_was_painted_in_fewer_bits_is_painted_again_so_where_more_memory_is_free(
    bits: Bits, pipeline: StableDiffusionPipeline, tmp_path: Path
) -> None:
    assert recipe_of(layer_of(pipeline)).weights == ""
    place(pipeline, just_enough(pipeline, bits, "turns"))
    first = layer_of(pipeline)
    recipe = recipe_of(first)
    assert recipe.weights == bits
    with loading_as(recipe.weights):
        other = load_folder(tmp_path / "tiny", "cpu")
    assert isinstance(other, StableDiffusionPipeline)
    told: list[str] = []
    other.ladder.on_relief = told.append
    again = layer_of(other, recipe)
    assert again.image == first.image and recipe_of(again) == recipe
    assert told == [f"Weights are kept in {bits} bits, as its recipe says."]


@pytest.mark.parametrize("asked", ["8", "fp8", "4", "16"])
def test_the_form_that_a_recipe_asks_for_goes_before_memory_and_variable(
    asked: str, pipeline: StableDiffusionPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "8" if asked == "4" else "4")
    with loading_as(asked):
        place(pipeline, 0)
    assert pipeline.weight_form == (asked if asked != "16" else "")


@pytest.mark.parametrize(
    ("asked", "words"), [("4", "4 bits"), ("fp8", "8 bits .fp8."), ("nf2", "a form that this")]
)
def test_weights_that_cannot_be_kept_so_are_told_in_a_sentence(
    asked: str, words: str, pipeline: StableDiffusionPipeline
) -> None:
    told: list[str] = []
    pipeline.ladder.on_relief = told.append
    layer = layer_of(pipeline, replace(LANTERN, weights=asked))
    assert recipe_of(layer).weights == ""
    (sentence,) = told
    assert re.search(f"painted with weights in {words}.* here they are kept in 16 bits", sentence)


def test_a_recipe_for_exact_weights_is_told_where_they_are_not(
    pipeline: StableDiffusionPipeline,
) -> None:
    place(pipeline, just_enough(pipeline, "8", "turns"))
    told: list[str] = []
    pipeline.ladder.on_relief = told.append
    layer_of(pipeline, replace(LANTERN, weights="16"))
    assert "here they are kept in 8 bits" in told[-1]
