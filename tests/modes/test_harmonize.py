"""Relighting a layer: the numbers of the published code, and the painter's own transparency."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import load_file

from acetate.errors import BadRequest
from acetate.images.frame_pixels import place_layer
from acetate.images.kept import as_in_document
from acetate.model_import.importing import import_any
from acetate.models.registry import model_named
from acetate.modes import run
from acetate.modes.harmonize import with_colours_of
from acetate.pipelines.conditioning import Conditioning
from acetate.pipelines.loading import load_folder
from acetate.pipelines.sampling import Interrupted, Step
from acetate.pipelines.stable_diffusion import StableDiffusionPipeline
from acetate_bridge.protocol.frame_planning import Frame
from acetate_bridge.protocol.geometry import Rect, Size
from acetate_bridge.protocol.types import Image, PixelFormat, Recipe, Request, Role
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.support.tiny_families import write_tiny_sd15

SIDE = 128


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_sd15(tmp_path_factory.mktemp("light") / "tiny-15")


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> StableDiffusionPipeline:
    pipeline = load_folder(folder, "cpu")
    assert isinstance(pipeline, StableDiffusionPipeline)
    return pipeline


def soft_layer(width: int, height: int, pixel_format: PixelFormat = "rgba8") -> Image:
    """Every alpha that there is, and colours under those of nothing."""
    rng = np.random.default_rng(0)
    top = 255 if pixel_format == "rgba8" else 65535
    samples = rng.integers(0, top + 1, (height, width, 4)).astype("u1" if top == 255 else "<u2")
    samples[height // 4 : height // 2, :, 3] = top
    samples[height // 2 :, : width // 4, 3] = 0
    return Image(width, height, samples.tobytes(), pixel_format)


def lit_by(colour: tuple[int, int, int], width: int = SIDE, height: int = SIDE) -> Image:
    return Image(width, height, bytes([*colour, 255]) * (width * height))


def request(layer: Image, picture: Image, **changes: Any) -> Request:
    recipe = Recipe("harmonize", "a red apple", seed=7, steps=2, guidance=2.0, passes=1)
    recipe = replace(recipe, width=layer.width, height=layer.height, **changes)
    return Request(recipe, {"layer": layer, "picture": picture}, pixel_format=layer.format)


@torch.inference_mode()
def test_the_noise_is_that_of_the_published_code(
    pipeline: StableDiffusionPipeline, folder: Path
) -> None:
    unet: Any = UNet2DConditionModel.from_pretrained(folder / "unet")
    offsets = load_file(folder / "transparency" / "iclight_sd15_fbc.safetensors")
    old = unet.conv_in
    wide = torch.nn.Conv2d(12, old.out_channels, old.kernel_size, old.stride, old.padding)
    wide.weight.zero_()
    wide.weight[:, :4] = old.weight
    wide.bias = old.bias
    unet.conv_in = wide
    own = unet.state_dict()
    unet.load_state_dict({name: own[name] + offsets[name].float() for name in own})
    assert set(offsets) == set(own)
    noisy, layer, beneath = torch.randn(3, 1, 4, 16, 16, generator=torch.manual_seed(1))
    words = pipeline.encode_prompt(["a red apple"], [""]).positive
    theirs = unet(torch.cat([noisy, layer, beneath], dim=1), 500, words).sample
    patch = pipeline.patch_for("harmonize")
    assert patch is not None
    patch.inject(pipeline.denoiser)
    try:
        seen = torch.cat([layer, beneath], dim=1)
        ours = pipeline.predict(noisy, torch.tensor(500), Conditioning(words, None, seen))
    finally:
        patch.eject()
    assert (ours - theirs).abs().max() < 1e-4


@pytest.mark.parametrize("pixel_format", ["rgba8", "rgba16"])
def test_the_transparency_comes_back_to_the_last_bit(
    pipeline: StableDiffusionPipeline, pixel_format: PixelFormat
) -> None:
    before = snapshot(pipeline.denoiser)
    layer = soft_layer(SIDE, SIDE, pixel_format)
    steps: list[Step] = []
    (relit,) = run(request(layer, lit_by((250, 180, 60))), pipeline, steps.append)
    dtype = "u1" if pixel_format == "rgba8" else "<u2"
    was, now = (np.frombuffer(each.data, dtype).reshape(-1, 4) for each in (layer, relit.image))
    assert np.array_equal(was[:, 3], now[:, 3]) and not np.array_equal(was[:, :3], now[:, :3])
    assert relit.role is Role.FOREGROUND and [step.index for step in steps] == [1, 2]
    assert relit.recipe is not None and "iclight_sd15_fbc.safetensors" in relit.recipe.files
    assert run(replace(request(layer, lit_by((250, 180, 60))), recipe=relit.recipe), pipeline) == [
        relit
    ]
    assert_untouched(pipeline.denoiser, before)


def test_the_picture_beneath_gives_the_light(pipeline: StableDiffusionPipeline) -> None:
    layer = soft_layer(SIDE, SIDE)
    warm, cold = (
        run(request(layer, lit_by(colour)), pipeline)[0]
        for colour in ((250, 180, 60), (20, 40, 120))
    )
    assert warm.image != cold.image


def test_it_comes_back_so_in_a_document_of_another_size(pipeline: StableDiffusionPipeline) -> None:
    given = soft_layer(90, 100)
    whole = Rect(0, 0, 90, 100)
    frame = Frame(whole, whole, Size(SIDE, SIDE))
    (relit,) = run(request(soft_layer(SIDE, SIDE), lit_by((250, 180, 60))), pipeline)
    assert relit.recipe is not None
    layer = as_in_document(place_layer(relit, frame), relit.recipe, {"layer": given}, frame)
    assert layer.image.data[3::4] == given.data[3::4]


def test_stopping_leaves_the_denoiser_as_it_was(pipeline: StableDiffusionPipeline) -> None:
    before = snapshot(pipeline.denoiser)

    def stop(step: Step) -> None:
        assert step.preview().shape[1] == 4
        raise Interrupted

    with pytest.raises(Interrupted):
        run(request(soft_layer(SIDE, SIDE), lit_by((9, 9, 9))), pipeline, stop)
    assert_untouched(pipeline.denoiser, before)


def test_a_soft_edge_takes_the_colour_of_what_is_solid() -> None:
    alpha = torch.zeros(1, 1, 64, 64)
    alpha[..., 16:48, 16:48] = 1
    alpha[..., 12:16, 16:48] = 0.5
    alpha[..., 58:62, 58:62] = 0.4
    relit = torch.zeros(1, 3, 64, 64)
    relit[:, 2] = 1  # Blue beneath,
    relit[:, :, 16:48, 16:48] = torch.tensor([1.0, 0, 0])[:, None, None]  # red in front,
    relit[:, :, 58:62, 58:62] = torch.tensor([0, 1.0, 0])[:, None, None]  # and a veil of green.
    found = with_colours_of(relit, alpha)
    assert torch.equal(found[:, 3:], alpha)
    assert torch.equal(found[:, :3, 16:48, 16:48], relit[:, :, 16:48, 16:48])
    assert found[0, 0, 12:16, 20:44].min() > 0.6 and found[0, 2, 12:16, 20:44].max() < 0.1
    assert torch.equal(found[:, :3, 58:62, 58:62], relit[:, :, 58:62, 58:62])


def test_a_base_of_ones_own_relights_once_the_file_is_here(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path))
    own = import_any(str(folder))
    assert "harmonize" not in model_named(own.name).modes
    light = import_any(str(folder / "transparency" / "iclight_sd15_fbc.safetensors"))
    assert (light.role, light.families) == ("patch", ("sd15",))
    entry = model_named(own.name)
    assert "harmonize" in entry.modes
    assert "iclight_sd15_fbc" in {file.id for file in entry.files_for(("harmonize",))}


def test_a_base_that_fills_holes_is_refused(
    pipeline: StableDiffusionPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(pipeline), "fills", True)
    monkeypatch.setattr(pipeline, "_patch", None)
    with pytest.raises(BadRequest, match="made to fill holes and cannot relight"):
        pipeline.patch_for("harmonize")
