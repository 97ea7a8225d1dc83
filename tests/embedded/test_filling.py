"""A thing put into a selection, and what becomes of what was there."""

from __future__ import annotations

import torch
from torch import Tensor

from acetate.embedded.filling import cleared, hole_of, put_in
from acetate.modes.surroundings import continued

SIDE = 96


def landscape() -> Tensor:
    """A sky over grass, opaque."""
    picture = torch.ones(1, 4, SIDE, SIDE)
    picture[:, :3] = torch.tensor([0.3, 0.6, 0.9]).view(1, 3, 1, 1)
    picture[:, :3, SIDE // 2 :] = torch.tensor([0.2, 0.6, 0.2]).view(1, 3, 1, 1)
    return picture


def selection(top: int = 16, left: int = 16, bottom: int = 80, right: int = 80) -> Tensor:
    free = torch.zeros(1, 1, SIDE, SIDE)
    free[..., top:bottom, left:right] = 1
    return free


def test_a_horizon_that_the_selection_cuts_goes_on_within_it() -> None:
    picture, free = landscape(), selection()
    ground = cleared(picture, continued(picture, free), free)
    assert (ground - picture).abs().max() < 0.01


def test_a_thing_wholly_within_the_selection_is_cleared_away() -> None:
    picture, free = landscape(), selection(4, 4, 44, 92)
    picture[:, :3, 14:34, 40:60] = 1
    ground = cleared(picture, continued(picture, free), free)
    assert (ground[0, :3, 24, 50] - torch.tensor([0.3, 0.6, 0.9])).abs().max() < 0.1


def test_the_edge_of_a_layer_that_the_selection_cuts_stays() -> None:
    layer = torch.zeros(1, 4, SIDE, SIDE)
    layer[:, 0] = 0.8
    layer[:, 3, 20:60, 8:88] = 1
    free = selection(40, 30, 80, 66)
    ground = cleared(layer, continued(layer, free), free)
    assert (ground[:, 3] - layer[:, 3]).abs().max() < 0.01


def test_a_thing_is_put_in_and_only_it_may_be_painted() -> None:
    free = selection()
    place = hole_of(free)
    assert place == (slice(16, 80), slice(16, 80))
    thing = torch.zeros(1, 4, 64, 64)
    thing[:, 0] = 1
    thing[:, 3, 24:40, 24:40] = 1
    start, where = put_in(landscape(), thing, free, place)
    assert torch.equal(start[0, :, 48, 48], torch.tensor([1.0, 0.0, 0.0, 1.0]))
    assert torch.equal(start[..., :16], landscape()[..., :16])
    assert where[0, 0, 48, 48] == 1 and where[0, 0, 20, 20] == 0
    assert (where <= free).all()


def test_a_selection_of_a_few_pixels_takes_no_thing() -> None:
    assert hole_of(selection(10, 10, 20, 80)) is None
    assert hole_of(torch.zeros(1, 1, SIDE, SIDE)) is None
