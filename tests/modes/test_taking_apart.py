"""Splitting a flat picture with a matting network, and with what a model sees itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from acetate.errors import BadRequest
from acetate.models.own_bases import import_any
from acetate.models.registry import models
from acetate.modes import run
from acetate.modes.taking_apart import recomposition_error, unblended
from acetate.pipelines.loading import load_folder, load_pipeline
from acetate.pipelines.sampling import Interrupted, Step
from acetate_bridge.protocol.types import Image, Recipe, Request, Role
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.support.tiny_families import write_tiny_sd15
from tests.support.tiny_onnx import write_matting


@pytest.fixture(autouse=True)
def own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "own"))
    return tmp_path / "own"


def picture(width: int = 192, height: int = 128) -> Image:
    samples = np.full((height, width, 4), 255, np.uint8)
    samples[..., :3] = np.linspace(150, 240, width, dtype=np.uint8)[None, :, None]
    samples[40:88, 64:128, :3] = (230, 10, 10)
    return Image(width, height, samples.tobytes())


def request(image: Image, layers: int = 3) -> Request:
    recipe = Recipe("decompose", "a red square", seed=3, steps=2, guidance=1.0, layers=layers)
    recipe = replace(recipe, width=image.width, height=image.height)
    return Request(recipe, {"picture": image})


def error_of(layers: list, image: Image) -> tuple[float, float]:
    samples = np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 4)
    flat = torch.as_tensor(samples[..., :3].copy()).permute(2, 0, 1)[None] / 255
    return recomposition_error(layers, flat)


def test_layers_add_up_to_the_picture_and_the_base_is_untouched(tmp_path: Path) -> None:
    import_any(str(write_matting(tmp_path / "u2net.onnx")))
    pipeline = load_folder(write_tiny_sd15(tmp_path / "base"), "cpu")
    before = snapshot(pipeline.denoiser)
    told: list[str] = []
    pipeline.ladder.on_relief = told.append
    steps: list[Step] = []
    image = picture()
    layers = run(request(image), pipeline, steps.append)
    assert_untouched(pipeline.denoiser, before)
    assert layers[0].role is Role.BACKGROUND
    assert {layer.role for layer in layers[1:]} == {Role.FOREGROUND}
    mean, worst = error_of(layers, image)
    assert mean < 0.6 and worst <= 3
    assert told[-1].startswith("The layers add up to the picture within")
    assert steps[0].total == 4  # Two fillings of two steps, of which one may not be needed.
    front = np.frombuffer(layers[1].image.data, np.uint8).reshape(128, 192, 4)
    assert tuple(front[64, 96]) == (230, 10, 10, 255)
    assert front[8, 8, 3] == 0
    again = run(request(image), pipeline)
    assert [layer.image.data for layer in again] == [layer.image.data for layer in layers]


def test_it_stops_within_a_step(tmp_path: Path) -> None:
    import_any(str(write_matting(tmp_path / "u2net.onnx")))
    pipeline = load_folder(write_tiny_sd15(tmp_path / "base"), "cpu")

    def stop(step: Step) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        run(request(picture()), pipeline, stop)


def test_without_a_matting_network_it_is_said_what_to_take_over(tmp_path: Path) -> None:
    pipeline = load_folder(write_tiny_sd15(tmp_path / "base"), "cpu")
    with pytest.raises(BadRequest, match="none is here") as refused:
        run(request(picture()), pipeline)
    assert refused.value.hint == "Take one over with `acetate models import FILE.onnx`."


def test_the_mode_is_offered_where_a_matting_network_is_here(tmp_path: Path) -> None:
    assert "decompose" not in models()["sd15"].modes
    own = import_any(str(write_matting(tmp_path / "U2Net.ONNX")))
    assert (own.name, own.role) == ("u2net.onnx", "matting")
    offered = {entry.id for entry in models().values() if "decompose" in entry.modes}
    assert {"sd15", "sdxl", "flux", "qwen21", "embedded", "qwen-layered"} <= offered
    assert "sd15-light" not in offered


def test_the_embedded_model_splits_by_itself_and_its_layers_add_up() -> None:
    pipeline = load_pipeline(device="cpu")
    image = picture(512, 512)
    layers = run(request(image, 2), pipeline)
    assert [layer.role for layer in layers] == [Role.BACKGROUND, Role.FOREGROUND]
    mean, _ = error_of(layers, image)
    assert mean < 1


def test_colours_of_a_soft_edge_give_the_picture_again() -> None:
    behind = torch.full((1, 3, 1, 5), 0.8)
    alpha = torch.linspace(0, 1, 5).reshape(1, 1, 1, 5)
    shown = 0.2 * alpha + behind * (1 - alpha)
    colour = unblended(shown, behind, alpha)
    assert torch.allclose(colour * alpha + behind * (1 - alpha), shown, atol=1e-6)
    assert torch.allclose(colour[..., 1:], torch.full((1, 3, 1, 4), 0.2), atol=1e-6)
