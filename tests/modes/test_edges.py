"""Defringing and cutting out as requests: what is kept of a layer, at its own size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from acetate.errors import BadRequest
from acetate.images.tensors import to_image, to_tensor
from acetate.model_import.importing import import_any
from acetate.models.own_register import remove_own
from acetate.models.used_files import FilesDiffer
from acetate.modes import run
from acetate.modes.matting import sharpened
from acetate.pipelines.loading import load_pipeline
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import Step
from acetate_bridge.protocol.types import Image, PixelFormat, Recipe, Request
from tests.support.drawings import drawings
from tests.support.tiny_onnx import write_matting


@pytest.fixture(scope="module")
def shipped() -> Pipeline:
    return load_pipeline("embedded", "cpu")


def samples(image: Image) -> np.ndarray:
    kind = "u1" if image.format == "rgba8" else "<u2"
    return np.frombuffer(image.data, kind).reshape(image.height, image.width, 4)


def asked(mode: str, layer: Image) -> Request:
    recipe = Recipe(mode, seed=3, width=layer.width, height=layer.height, steps=8, guidance=1.0)
    return Request(recipe, {"layer": layer}, pixel_format=layer.format)


@pytest.mark.parametrize("pixel_format", ["rgba8", "rgba16"])
def test_defringing_keeps_alpha_and_solid_colour_to_the_last_bit(
    tiny_pipeline: Pipeline, pixel_format: PixelFormat
) -> None:
    (drawing,) = drawings(1, seed=2)
    given = to_image(drawing[..., 7:240, 3:250], pixel_format)
    steps: list[Step] = []
    (layer,) = run(asked("defringe", given), tiny_pipeline, steps.append)
    was, now = samples(given), samples(layer.image)
    assert np.array_equal(was[..., 3], now[..., 3])
    solid = was[..., 3] == was[..., 3].max()
    assert np.array_equal(was[solid], now[solid])
    assert (was != now).any()
    assert [(step.index, step.total) for step in steps] == [(1, 1)]
    assert layer.recipe is not None and layer.recipe.mode == "defringe"


def test_a_layer_can_be_too_large_to_be_defringed(tiny_pipeline: Pipeline) -> None:
    with pytest.raises(BadRequest, match="8193 × 1 pixels is too large"):
        run(asked("defringe", Image(8193, 1, bytes(4 * 8193))), tiny_pipeline)


def test_a_subject_is_cut_out_of_a_plain_picture_with_its_own_colours(shipped: Pipeline) -> None:
    (drawing,) = drawings(1, seed=5)
    subject = torch.zeros(1, 4, 330, 400)
    subject[..., 40:296, 60:316] = drawing
    alpha = subject[:, 3:]
    behind = torch.tensor([0.2, 0.5, 0.3])[None, :, None, None]
    flat = subject[:, :3] * alpha + behind * (1 - alpha)
    given = to_image(torch.cat([flat, torch.ones_like(alpha)], dim=1))
    (layer,) = run(asked("cutout", given), shipped)
    found = to_tensor(layer.image)
    assert (found[:, 3:] - alpha).abs().mean() < 0.02
    surely = ((found[:, 3:] == 1) & (alpha == 1)).expand(-1, 3, -1, -1)
    assert surely.any()
    assert torch.equal(found[:, :3][surely], to_tensor(given)[:, :3][surely])


def test_a_matting_network_that_is_here_says_what_is_cut_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_pipeline: Pipeline
) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "shelf"))
    flat = torch.full((1, 4, 96, 128), 1.0)
    flat[..., 24:72, 32:96] = torch.tensor([0.9, 0.0, 0.0, 1.0])[:, None, None]
    flat[..., :12, 3] = 0
    given = to_image(flat)
    (bare,) = run(asked("cutout", given), tiny_pipeline)
    import_any(str(write_matting(tmp_path / "u2net.onnx")))
    steps: list[Step] = []
    (layer,) = run(asked("cutout", given), tiny_pipeline, steps.append)
    was, now = samples(given), samples(layer.image)
    assert (now[32:64, 40:88] == was[32:64, 40:88]).all()
    assert not now[:16, :, 3].any() and not now[80:, :, 3].any()
    assert [(step.index, step.total) for step in steps] == [(1, 1)]
    recipe = layer.recipe
    assert recipe is not None and "matting/u2net.onnx" in recipe.files
    again = replace(asked("cutout", given), recipe=recipe)
    assert run(again, tiny_pipeline)[0].image == layer.image
    # What was cut out without a network is cut out again without it.
    assert bare.recipe is not None
    earlier = replace(asked("cutout", given), recipe=bare.recipe)
    assert run(earlier, tiny_pipeline)[0].image == bare.image
    remove_own("u2net.onnx")
    with pytest.raises(FilesDiffer, match=r"matting/u2net\.onnx"):
        run(again, tiny_pipeline)


def test_what_was_transparent_before_stays_so(tiny_pipeline: Pipeline) -> None:
    layer = torch.rand(1, 4, 64, 64, generator=torch.Generator().manual_seed(1))
    layer[..., :20, 3] = 0
    (cut,) = run(asked("cutout", to_image(layer)), tiny_pipeline)
    was, now = samples(to_image(layer))[..., 3], samples(cut.image)[..., 3]
    assert (now <= was).all() and not now[was == 0].any()


def test_an_edge_that_is_off_by_pixels_is_found_again_in_the_picture() -> None:
    at = torch.arange(120) - 59.5
    true = (40 - (at[:, None] ** 2 + at**2).sqrt() + 0.5).clamp(0, 1)[None, None]
    rough = torch.roll((true > 0.5).float(), 1, dims=-1)
    front, behind = (torch.tensor(each)[None, :, None, None] for each in ((1.0, 0, 0), (0, 1.0, 1)))
    picture = torch.cat([front * true + behind * (1 - true), torch.ones_like(true)], dim=1)
    before, after = ((each - true).abs().mean() for each in (rough, sharpened(picture, rough)))
    assert after < before / 10


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_cut_out_without_an_edge_stays(value: float) -> None:
    rough = torch.full((1, 1, 20, 20), value)
    assert torch.equal(sharpened(torch.rand(1, 4, 20, 20), rough), rough)
