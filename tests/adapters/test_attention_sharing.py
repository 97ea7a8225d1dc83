from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor

from acetate.adapters import AttentionSharing, PatchMismatch
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.parity.reference import listing, seeded_state

pytestmark = pytest.mark.matrix

TOKENS, WIDTH = 5, 48


@pytest.fixture(scope="module")
def denoiser() -> UNet2DConditionModel:
    torch.manual_seed(0)
    return UNet2DConditionModel(**listing("tiny_sd15_unet_config")).eval().requires_grad_(False)


def read(denoiser: UNet2DConditionModel, name: str) -> AttentionSharing:
    shapes = listing(f"tiny_sd15_{name}_shapes")
    return AttentionSharing.read(seeded_state(shapes, name), denoiser)


@torch.inference_mode()
def paint(denoiser: Any, x: Tensor, text: Tensor) -> Tensor:
    return denoiser(x, 300, text).sample


@pytest.mark.parametrize(
    ("name", "frames", "control"),
    [("transparent_attn", 1, False), ("joint", 3, False), ("fg2bg", 2, True), ("bg2fg", 2, True)],
)
def test_every_published_kind_goes_in_and_out(
    denoiser: UNet2DConditionModel, name: str, frames: int, control: bool
) -> None:
    patch = read(denoiser, name)
    assert (patch.frames, patch.control is not None) == (frames, control)
    before = snapshot(denoiser)
    patch.prepare(control=torch.rand(1, 3, 64, 96) if control else None)
    x, text = torch.randn(2 * frames, 4, 8, 12), torch.randn(2 * frames, TOKENS, WIDTH)
    bare = paint(denoiser, x, text)
    with patch.inside(denoiser):
        assert paint(denoiser, x, text).shape == bare.shape
        assert not torch.allclose(paint(denoiser, x, text), bare)
    assert_untouched(denoiser, before)
    assert torch.equal(paint(denoiser, x, text), bare)


def test_pictures_of_a_batch_do_not_see_each_other(denoiser: UNet2DConditionModel) -> None:
    patch = read(denoiser, "joint")
    x, text = torch.randn(6, 4, 8, 8), torch.randn(6, TOKENS, WIDTH)
    with patch.inside(denoiser):
        together = paint(denoiser, x, text)
        alone = paint(denoiser, x[3:], text[3:])
    torch.testing.assert_close(together[3:], alone, atol=1e-4, rtol=1e-4)


def test_frames_of_a_picture_do(denoiser: UNet2DConditionModel) -> None:
    patch = read(denoiser, "joint")
    x, text = torch.randn(3, 4, 8, 8), torch.randn(3, TOKENS, WIDTH)
    other = text.clone()
    other[2] = torch.randn(TOKENS, WIDTH)
    with patch.inside(denoiser):
        assert not torch.allclose(paint(denoiser, x, text)[0], paint(denoiser, x, other)[0])


def test_the_text_of_a_frame_replaces_the_common_one_for_the_wanted_half(
    denoiser: UNet2DConditionModel,
) -> None:
    patch = read(denoiser, "joint")
    x, text = torch.randn(6, 4, 8, 8), torch.randn(6, TOKENS, WIDTH)
    own = torch.randn(1, TOKENS, WIDTH)
    replaced = text.clone()
    replaced[1] = own[0]
    mark = torch.tensor([0.0, 0, 0, 1, 1, 1])
    with patch.inside(denoiser):
        by_hand = paint(denoiser, x, replaced)
        patch.prepare(frame_texts=[None, own, None], unconditional=mark)
        torch.testing.assert_close(paint(denoiser, x, text), by_hand, atol=1e-4, rtol=1e-4)


def test_control_images_are_asked_for_and_refused(denoiser: UNet2DConditionModel) -> None:
    with pytest.raises(ValueError, match="needs a control image"):
        read(denoiser, "fg2bg").prepare()
    with pytest.raises(ValueError, match="takes no control image"):
        read(denoiser, "joint").prepare(control=torch.rand(1, 3, 64, 64))


def test_a_control_image_of_another_size_is_noticed(denoiser: UNet2DConditionModel) -> None:
    patch = read(denoiser, "fg2bg")
    before = snapshot(denoiser)
    patch.prepare(control=torch.rand(1, 3, 128, 128))
    with pytest.raises(ValueError, match="does not have the size"), patch.inside(denoiser):
        paint(denoiser, torch.randn(2, 4, 8, 8), torch.randn(2, TOKENS, WIDTH))
    assert_untouched(denoiser, before)


BIAS = "hookers.layers.2.temporal_i.bias"


@pytest.mark.parametrize(
    ("without", "more", "words"),
    [
        (BIAS, {}, f"incomplete: its tensor {BIAS}"),
        ("-", {"strange": torch.zeros(3)}, "strange of the shape 3"),
        ("-", {BIAS: torch.zeros(7)}, "bias has the shape 7, the model needs 32"),
        ("-", {"kwargs_encoder.blocks_3.2.weight": torch.zeros(())}, "shape a single number"),
        ("to_q_lora", {}, "does not share attention"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    denoiser: UNet2DConditionModel, without: str, more: dict[str, Tensor], words: str
) -> None:
    file = seeded_state(listing("tiny_sd15_transparent_attn_shapes"), "as")
    file = {key: tensor for key, tensor in file.items() if without not in key} | more
    with pytest.raises(PatchMismatch, match=words):
        AttentionSharing.read(file, denoiser)
