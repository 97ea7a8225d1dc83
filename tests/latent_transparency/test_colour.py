from __future__ import annotations

import pytest
import torch

from acetate.latent_transparency import checkerboard, composite_on_grey, composite_over, pad_colour
from acetate.latent_transparency.resampling import Kernel, resample


def red_square(background: tuple[float, float, float]) -> torch.Tensor:
    rgba = torch.zeros(1, 4, 40, 40)
    rgba[:, :3] = torch.tensor(background).reshape(1, 3, 1, 1)
    rgba[..., 10:30, 10:30] = torch.tensor([1.0, 0, 0, 1]).reshape(1, 4, 1, 1)
    return rgba


@pytest.mark.parametrize("background", [(0, 0, 0), (1, 1, 1), (1, 0, 1)])
def test_colour_under_transparency_does_not_matter(background: tuple[float, float, float]) -> None:
    padded = pad_colour(red_square(background))
    assert torch.allclose(padded, torch.tensor([1.0, 0, 0]).reshape(1, 3, 1, 1), atol=1e-5)


def test_visible_colour_is_kept() -> None:
    rgba = torch.rand(1, 4, 21, 34)
    rgba[:, 3] = (rgba[:, 3] > 0.5).float()
    opaque = rgba[:, 3:] == 1
    kept = torch.where(opaque, pad_colour(rgba), 0)
    assert torch.allclose(kept, torch.where(opaque, rgba[:, :3], 0))


def test_an_empty_layer_becomes_black() -> None:
    rgba = torch.rand(1, 4, 9, 9)
    rgba[:, 3] = 0
    assert not pad_colour(rgba).any()


def test_a_batch_is_padded_one_by_one() -> None:
    rgba = torch.rand(3, 4, 17, 12)
    alone = torch.cat([pad_colour(rgba[i : i + 1]) for i in range(3)])
    assert torch.allclose(pad_colour(rgba), alone, atol=1e-6)


def test_transparency_is_mid_grey_and_opacity_is_colour() -> None:
    rgba = torch.rand(1, 4, 4, 4)
    rgba[:, 3] = 0
    assert torch.allclose(composite_on_grey(rgba), torch.full((1, 3, 4, 4), 0.5))
    rgba[:, 3] = 1
    assert torch.allclose(composite_on_grey(rgba), rgba[:, :3])
    rgba[:, 3] = 0.25
    assert torch.allclose(composite_on_grey(rgba), composite_over(rgba, torch.tensor(0.5)))


def test_the_checkerboard_starts_dark_and_alternates() -> None:
    board = checkerboard(8, 12, cell=4)
    assert board.shape == (1, 3, 8, 12)
    assert torch.allclose(
        board[0, 0, ::4, ::4], torch.tensor([[0.45, 0.55, 0.45], [0.55, 0.45, 0.55]])
    )


@pytest.mark.parametrize("kernel", ["area", "linear", "lanczos4"])
@pytest.mark.parametrize(("height", "width"), [(7, 5), (20, 31), (13, 11), (5, 31)])
def test_resampling_keeps_a_flat_colour(kernel: Kernel, height: int, width: int) -> None:
    flat = torch.full((2, 3, 13, 11), 0.3)
    resized = resample(flat, height, width, kernel)
    assert torch.allclose(resized, torch.full((2, 3, height, width), 0.3), atol=1e-6)


def test_area_resampling_keeps_the_mean() -> None:
    image = torch.rand(1, 1, 24, 30, dtype=torch.float64)
    assert torch.allclose(resample(image, 11, 7, "area").mean(), image.mean())


def test_whole_steps_of_area_resampling_are_block_means() -> None:
    image = torch.rand(1, 2, 8, 12)
    expected = torch.nn.functional.avg_pool2d(image, (4, 3))
    assert torch.allclose(resample(image, 2, 4, "area"), expected, atol=1e-6)


def test_an_opaque_layer_is_padded_as_one_with_a_clear_pixel_in_a_corner() -> None:
    opaque = torch.rand(2, 4, 24, 31, generator=torch.Generator().manual_seed(4))
    opaque[:, 3] = 1
    almost = opaque.clone()
    almost[:, 3, 0, 0] = 0
    assert torch.equal(pad_colour(opaque), opaque[:, :3])
    assert torch.equal(pad_colour(almost)[..., 1:, :], pad_colour(opaque)[..., 1:, :])
