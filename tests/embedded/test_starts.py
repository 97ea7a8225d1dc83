from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from acetate.embedded.backdrops import Backdrops, Ground
from acetate.embedded.starts import (
    filled_in,
    in_words,
    lifted,
    split,
    uncovered,
)

SIDE = 64


def layer(colour: tuple[float, float, float] = (0.8, 0.1, 0.1)) -> Tensor:
    rgba = torch.zeros(1, 4, SIDE, SIDE)
    rgba[:, :3] = torch.tensor(colour).view(1, 3, 1, 1)
    rgba[:, 3, 16:48, 20:44] = 1
    return rgba


def ground() -> Tensor:
    shade = torch.linspace(0.3, 0.9, SIDE).view(1, 1, SIDE, 1)
    return torch.cat([shade * 0.5, shade, shade * 0.6], dim=1).expand(1, 3, SIDE, SIDE).clone()


def over(rgba: Tensor, rgb: Tensor) -> Tensor:
    return rgba[:, :3] * rgba[:, 3:] + rgb * (1 - rgba[:, 3:])


def test_a_layer_is_lifted_off_a_known_background() -> None:
    found = lifted(over(layer(), ground()), ground())
    assert (found[:, 3] - layer()[:, 3]).abs().mean() < 0.02
    assert (found[:, :3, 32, 32] - torch.tensor([0.8, 0.1, 0.1])).abs().max() < 0.02


def test_a_layer_is_split_off_an_unknown_background() -> None:
    found = split(over(layer(), ground()))
    assert (found[:, 3] - layer()[:, 3]).abs().mean() < 0.05


def test_what_a_layer_hides_is_continued() -> None:
    found = uncovered(over(layer(), ground()), layer())
    assert (found - ground()).abs().mean() < 0.05


def test_a_drawing_is_brought_into_the_outline_of_a_sketch() -> None:
    lines = torch.zeros(1, 3, SIDE, SIDE)
    lines[..., 10:54, [8, 55]] = 1
    lines[..., [10, 53], 8:56] = 1
    found = filled_in(lines, layer((0.1, 0.2, 0.9)))
    assert found[0, 3, 32, 32] == 1 and found[0, 3, 4, 4] == 0
    assert (found[0, 3] > 0.5).float().mean() > 0.4
    assert found[0, 2, 32, 32] > 0.8


def test_without_an_outline_the_drawing_stays() -> None:
    nothing = torch.zeros(1, 3, SIDE, SIDE)
    assert torch.equal(filled_in(nothing, layer()), layer())


def test_a_layer_takes_on_the_colour_that_is_named() -> None:
    blue = in_words(layer(), "a blue box")
    assert blue is not None and blue[0, 2, 32, 32] > 0.6
    assert in_words(layer(), "a box") is None


def test_a_backdrop_has_its_horizon_above_the_foot_and_a_shadow_under_it() -> None:
    backdrops = Backdrops(lambda phrases: np.zeros((len(phrases), 4), np.float32))
    alpha = layer()[0, 3].numpy()
    standing = Ground.under(alpha)
    assert standing is not None and standing.foot == 47
    with_layer = backdrops.paint("a sandy desert on a sunny day", 3, SIDE, standing)
    again = backdrops.paint("a sandy desert on a sunny day", 3, SIDE, standing)
    assert with_layer.shape == (SIDE, SIDE, 3) and np.array_equal(with_layer, again)
    bare = backdrops.paint("a sandy desert on a sunny day", 3, SIDE, Ground(47, 60, 63))
    assert with_layer[47, 24:40].mean() < bare[47, 24:40].mean() - 0.05
    assert Ground.under(np.zeros((8, 8))) is None


def test_a_room_has_the_colour_that_is_asked_for() -> None:
    backdrops = Backdrops(lambda phrases: np.zeros((len(phrases), 4), np.float32))
    wall = backdrops.paint("a room with a yellow wall", 1, SIDE, None)[2]
    assert wall[:, 0].mean() > wall[:, 2].mean() + 0.3
