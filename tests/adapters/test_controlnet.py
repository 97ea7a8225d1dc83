from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from acetate.adapters import PatchMismatch
from acetate.adapters.control_map import control_map
from acetate.adapters.controlnet import Following, load_control
from acetate.adapters.followed import Evaluation, added_up
from acetate.errors import BadRequest
from tests.support.original_layout import tiny_denoiser, write_control

CPU = torch.device("cpu")
NAME = "controlnet_cond_embedding.conv_out.weight"


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_both_ways_to_name_the_tensors_give_the_same_network(family: str, tmp_path: Path) -> None:
    unet = tiny_denoiser(family)
    plain, original = (
        load_control(
            write_control(tmp_path / f"{form}.safetensors", family, form), unet, CPU, torch.float32
        ).state_dict()
        for form in ("diffusers", "original")
    )
    assert plain.keys() == original.keys()
    assert all(torch.equal(plain[key], original[key]) for key in plain)


def test_strength_scales_what_is_added(tmp_path: Path) -> None:
    unet = tiny_denoiser("sd15")
    path = write_control(tmp_path / "scribble.safetensors", "sd15")
    network = load_control(path, unet, CPU, torch.float32)
    image, latent = torch.rand(1, 3, 64, 64), torch.randn(2, 4, 8, 8)
    given = Evaluation(latent, torch.tensor(10), torch.randn(2, 77, 48))
    half, whole = (
        Following(network, image, strength).residuals(given)["mid_block_additional_residual"]
        for strength in (0.5, 1.0)
    )
    assert whole.abs().max() > 0
    assert torch.allclose(whole, 2 * half)


def test_several_networks_add_up_and_each_ends_when_it_is_told(tmp_path: Path) -> None:
    unet = tiny_denoiser("sd15")
    path = write_control(tmp_path / "scribble.safetensors", "sd15")
    network = load_control(path, unet, CPU, torch.float32)
    image, latent = torch.rand(1, 3, 64, 64), torch.randn(1, 4, 8, 8)
    given = Evaluation(latent, torch.tensor(10), torch.randn(1, 77, 48))
    once = Following(network, image, 1.0).residuals(given)
    twice = added_up([once, once])
    assert added_up([]) == {} and added_up([once]) == once
    middle = "mid_block_additional_residual"
    assert torch.allclose(twice[middle], 2 * once[middle])
    downs = "down_block_additional_residuals"
    assert all(
        torch.allclose(two, 2 * one) for two, one in zip(twice[downs], once[downs], strict=True)
    )
    ending = Following(network, image, 1.0, end=0.4)
    assert ending.counts(torch.tensor(999)) and ending.counts(torch.tensor(600))
    assert not ending.counts(torch.tensor(590))


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    path = write_control(tmp_path / "scribble.safetensors", "sd15")
    with pytest.raises(PatchMismatch, match=r"scribble\.safetensors does not fit this model"):
        load_control(path, tiny_denoiser("sdxl"), CPU, torch.float32)
    state = load_file(path)
    state["extra.weight"] = torch.zeros(1)
    save_file(state, path)
    with pytest.raises(PatchMismatch, match=r"has no extra\.weight"):
        load_control(path, tiny_denoiser("sd15"), CPU, torch.float32)
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(PatchMismatch, match="no control network that Acetate can use"):
        load_control(path, tiny_denoiser("sd15"), CPU, torch.float32)


@pytest.mark.parametrize("form", ["diffusers", "original"])
def test_one_that_lacks_a_level_is_said_to_be_incomplete(form: str, tmp_path: Path) -> None:
    path = write_control(tmp_path / "scribble.safetensors", "sd15", form)
    lost = "blocks.1.weight" if form == "diffusers" else "input_hint_block.4.weight"
    whole = load_file(path)
    save_file({key: each for key, each in whole.items() if not key.endswith(lost)}, path)
    with pytest.raises(PatchMismatch, match=rf"scribble\.safetensors .*{lost}"):
        load_control(path, tiny_denoiser("sd15"), CPU, torch.float32)


def sketch() -> torch.Tensor:
    """A black stroke on nothing, 32 × 32."""
    rgba = torch.zeros(1, 4, 32, 32)
    rgba[:, 3, 8:12, 4:28] = 1
    return rgba


@pytest.mark.parametrize("kind", ["scribble", "lineart"])
def test_a_dark_sketch_becomes_light_strokes_on_black(kind: str) -> None:
    map_ = control_map(sketch(), kind, derived=True)
    assert map_.shape == (1, 3, 32, 32)
    assert map_[..., 8:12, 4:28].min() == 1 and map_[..., 20:, :].max() == 0


def test_edges_of_a_picture_are_found() -> None:
    edges = control_map(sketch(), "canny", derived=True)
    assert set(edges.unique().tolist()) == {0.0, 1.0}
    assert edges[..., 6:14, 2:30].sum() == edges.sum() > 0


def test_a_map_is_taken_as_it_is_with_black_for_nothing() -> None:
    rgba = torch.rand(1, 4, 8, 8)
    assert torch.equal(control_map(rgba, "depth", derived=False), rgba[:, :3] * rgba[:, 3:])


def test_a_soft_edge_is_brightest_where_the_picture_changes_most() -> None:
    edges = control_map(sketch(), "softedge", derived=True)
    assert edges.shape == (1, 3, 32, 32) and edges.max() == 1 and edges[..., 20:, :].max() < 0.01


def test_a_tile_is_the_picture_on_white() -> None:
    tile = control_map(sketch(), "tile", derived=True)
    assert tile[..., 20:, :].min() == 1 and tile[..., 9, 10].max() == 0


@pytest.mark.parametrize("kind", ["depth", "pose", "segment"])
def test_where_there_is_no_detector_the_map_is_asked_for(kind: str) -> None:
    with pytest.raises(BadRequest, match=f"no detector for {kind}"):
        control_map(sketch(), kind, derived=True)
