"""A model that does not fit is kept in fewer bits, in turns or by its layers, and still paints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from acetate.adapters.quantised_linear import QuantisedLinear
from acetate.errors import BadRequest
from acetate.models.fitting import WORKING, Bits, plan
from acetate.modes import run
from acetate.pipelines.loading import load_folder
from acetate.pipelines.stable_diffusion import StableDiffusionPipeline
from acetate.pipelines.weight_placement import VARIABLE, place_weights, size_of
from acetate_bridge.protocol.types import Recipe, Request
from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl

pytestmark = pytest.mark.slow
CPU = torch.device("cpu")
WRITE: dict[str, Callable[[Path], Path]] = {"sdxl": write_tiny_sdxl, "sd15": write_tiny_sd15}


@pytest.fixture(params=["sdxl", "sd15"])
def pipeline(request: pytest.FixtureRequest, tmp_path: Path) -> StableDiffusionPipeline:
    loaded = load_folder(WRITE[request.param](tmp_path / "tiny"), "cpu")
    assert isinstance(loaded, StableDiffusionPipeline)
    return loaded


def painted(pipeline: StableDiffusionPipeline) -> Tensor:
    recipe = Recipe("text", "a lantern", seed=1, steps=3, passes=1, width=128, height=128)
    (layer,) = run(Request(recipe), pipeline)
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
    assert told == [f"Memory is scarce: weights are kept in {bits.removeprefix('fp')} bits."] or (
        bits == "4" and "4 bits" in told[0]
    )
    assert 0 < float((got - wanted).abs().mean()) < 16


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
