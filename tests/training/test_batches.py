from __future__ import annotations

import torch

from acetate.training.batches import Backdrops, LayerBatches, over, vary_transparency
from acetate.training.dataset import PictureSet
from acetate.training.losses import quick_padding


def test_the_same_step_draws_the_same_batch_and_another_step_another(pictures: PictureSet) -> None:
    batches = LayerBatches(pictures, seed=3)
    assert torch.equal(batches.at(5, 4, 32), batches.at(5, 4, 32))
    assert not torch.equal(batches.at(5, 4, 32), batches.at(6, 4, 32))


def test_only_training_pictures_are_drawn(pictures: PictureSet) -> None:
    greens = {int(pictures.pixels[row][32, 32, 1]) for row in pictures.rows("train")}
    drawn = LayerBatches(pictures, seed=0).at(0, 32, None)[:, 1, 32, 32] * 255
    assert {round(float(value)) for value in drawn} <= greens


def test_crops_lie_around_something_visible(pictures: PictureSet) -> None:
    crops = LayerBatches(pictures, seed=1).at(0, 16, 32)
    assert crops.shape == (16, 4, 32, 32)
    assert float(crops[:, 3].amax((1, 2)).mean()) > 0.8


def test_backdrops_are_colours_where_no_scenes_were_painted(tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    picture = Backdrops(tmp_path_factory.mktemp("empty"), seed=0).at(0, 2, 16)
    assert torch.equal(picture, picture[:, :, :1, :1].expand_as(picture))


def test_varied_batches_hold_half_transparent_pixels(pictures: PictureSet) -> None:
    varied = vary_transparency(LayerBatches(pictures, seed=1).at(0, 40, None), 0, seed=0)
    soft = ((varied[:, 3] > 0.05) & (varied[:, 3] < 0.95)).float().mean((1, 2))
    assert 8 <= int((soft > 0.05).sum()) <= 32
    assert 0 <= float(varied.min()) and float(varied.max()) <= 1


def test_padding_keeps_visible_colour_and_fills_the_rest_from_it(pictures: PictureSet) -> None:
    rgba = LayerBatches(pictures, seed=1).at(0, 4, None)
    padded = quick_padding(rgba)
    solid = rgba[:, 3:] == 1
    assert torch.allclose(padded * solid, rgba[:, :3] * solid, atol=1e-6)
    corner, centre = padded[:, :, 0, 0], rgba[:, :3, 32, 32]
    assert torch.allclose(corner, centre, atol=0.02)


def test_over_is_the_plain_composite() -> None:
    rgba = torch.tensor([0.2, 0.4, 0.6, 0.5]).view(1, 4, 1, 1)
    assert torch.allclose(over(rgba, 1.0).flatten(), torch.tensor([0.6, 0.7, 0.8]))
