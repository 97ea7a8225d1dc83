"""T2I adapters: told by their tensors under both ways to name them, and added as diffusers does."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import Tensor

from acetate.adapters import PatchMismatch
from acetate.adapters.control_network import followed_by
from acetate.adapters.controlnet import Following
from acetate.adapters.followed import Evaluation, added_up
from acetate.adapters.t2i_adapter import FollowedFeatures
from acetate.models.identify import Kind, NotRecognised, recognise
from acetate.models.t2i_names import t2i_form, t2i_names
from tests.support.original_layout import t2i_adapter, tiny_denoiser, write_control, write_t2i

pytestmark = pytest.mark.matrix

AT = (torch.device("cpu"), torch.float32)
FORMS = [("sd15", 3, False), ("sd15", 1, False), ("sd15", 3, True), ("sdxl", 3, False)]
FORMS.append(("sdxl", 1, False))


def picture() -> Tensor:
    return torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))


@functools.cache
def denoiser(family: str) -> UNet2DConditionModel:
    """Only looked at: what follows it puts nothing into it."""
    return tiny_denoiser(family)


def followed(path: Path, family: str, strength: float = 1.0) -> FollowedFeatures:
    found = followed_by(path, denoiser(family), picture(), strength, 1.0, "scribble", AT)
    assert isinstance(found, FollowedFeatures)
    return found


def given(family: str) -> tuple[Tensor, Tensor, Tensor]:
    width = 48 if family == "sd15" else 64
    random = torch.Generator().manual_seed(2)
    return (
        torch.randn(2, 4, 8, 8, generator=random),
        torch.tensor(500),
        torch.randn(2, 77, width, generator=random),
    )


@pytest.mark.parametrize(("family", "channels", "light"), FORMS)
@pytest.mark.parametrize("names", ["diffusers", "authors", "bare"])
def test_it_is_told_by_its_tensors_and_sees_what_diffusers_sees(
    family: str, channels: int, light: bool, names: str, tmp_path: Path
) -> None:
    path = write_t2i(tmp_path / "t2i-sketch.safetensors", family, channels, light, names)
    shapes = {name: tuple(tensor.shape) for name, tensor in load_file(path).items()}
    assert recognise(shapes, path.name) == Kind("control", (family,))
    real = t2i_adapter(family, channels, light)
    image = picture() if channels == 3 else picture().mean(dim=1, keepdim=True)
    with torch.inference_mode():
        wanted = real(image)
    found = followed(path, family).features
    assert len(found) == len(wanted) == 4
    assert all(torch.equal(one, other) for one, other in zip(found, wanted, strict=True))


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_the_denoiser_follows_it_at_each_level_and_by_its_strength(
    family: str, tmp_path: Path
) -> None:
    unet = denoiser(family)
    latent, timestep, tokens = given(family)
    tokens = torch.randn(2, 77, unet.config["cross_attention_dim"])
    added = None
    if family == "sdxl":
        pooled = (
            unet.config["projection_class_embeddings_input_dim"]
            - 6 * (unet.config["addition_time_embed_dim"])
        )
        added = {"text_embeds": torch.zeros(2, pooled), "time_ids": torch.zeros(2, 6)}

    @torch.inference_mode()
    def painted(strength: float) -> Tensor:
        path = write_t2i(tmp_path / f"{strength}-sketch.safetensors", family, 3, False)
        what = followed(path, family, strength).residuals(Evaluation(latent, timestep, tokens))
        return unet(latent, timestep, tokens, added_cond_kwargs=added, return_dict=False, **what)[0]

    with torch.inference_mode():
        bare = unet(latent, timestep, tokens, added_cond_kwargs=added, return_dict=False)[0]
    assert torch.allclose(painted(0.0), bare, atol=1e-6)
    weak, strong = (float((painted(one) - bare).abs().mean()) for one in (0.1, 1.0))
    assert 0 < weak < strong


def test_it_is_followed_beside_a_control_network(tmp_path: Path) -> None:
    latent, timestep, tokens = given("sd15")
    unet = denoiser("sd15")
    control = write_control(tmp_path / "scribble.safetensors", "sd15")
    both = [
        followed_by(path, unet, picture(), 1.0, 1.0, "depth", AT)
        for path in (control, write_t2i(tmp_path / "t2i-depth.safetensors", "sd15", 3, False))
    ]
    assert [type(one) for one in both] == [Following, FollowedFeatures]
    said = [one.residuals(Evaluation(latent, timestep, tokens)) for one in both]
    together = added_up(said)
    assert together.keys() == said[0].keys() | said[1].keys()
    twice = added_up([said[1], said[1], said[0]])
    levels = "down_intrablock_additional_residuals"
    assert all(
        torch.allclose(two, 2 * one)
        for two, one in zip(twice[levels], said[1][levels], strict=True)
    )


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    path = write_t2i(tmp_path / "t2i-canny.safetensors", "sd15", 3, False)
    with pytest.raises(PatchMismatch, match="for Stable Diffusion 1.5 and adds 32"):
        followed(path, "sdxl")
    state = load_file(path)
    state["adapter.extra.weight"] = torch.zeros(1)
    save_file(state, path)
    with pytest.raises(PatchMismatch, match=r"has no adapter\.extra\.weight"):
        followed(path, "sd15")


def test_an_adapter_of_an_unusual_entry_is_refused_by_its_name() -> None:
    shapes = {"conv_in.weight": (320, 48, 3, 3), "body.0.block1.weight": (320, 320, 3, 3)}
    assert t2i_form(shapes) is None
    with pytest.raises(NotRecognised, match="a T2I adapter of an unusual shape"):
        recognise(shapes, "adapter.safetensors")


def test_names_without_a_counterpart_stay() -> None:
    assert t2i_names(["body.2.in_conv.bias"]) == {
        "body.2.in_conv.bias": "adapter.body.1.in_conv.bias"
    }
    assert t2i_names(["other"]) == {"other": "adapter.other"}
