"""Drawings in the colour that a prompt names."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from acetate.embedded.recolour import recolour
from acetate.training.hues import has_colour


def butterfly() -> np.ndarray:
    """A blue body between orange wings that are as large."""
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[8:56, 4:60, 3] = 255
    pixels[8:56, 4:60, :3] = (240, 130, 30)
    pixels[8:56, 20:44, :3] = (40, 90, 220)
    return pixels


@pytest.mark.parametrize("paint", ["red", "yellow", "green", "purple", "turquoise", "black"])
def test_the_colour_that_is_asked_for_outweighs_all_others(paint: str) -> None:
    painted = recolour(butterfly(), paint)
    assert painted is not None
    rgba = torch.from_numpy(painted).permute(2, 0, 1)[None] / 255
    assert has_colour(rgba, paint)


def test_a_small_part_of_another_colour_stays() -> None:
    apple = np.zeros((64, 64, 4), np.uint8)
    apple[8:56, 8:56] = (210, 30, 30, 255)
    apple[4:10, 30:40] = (60, 160, 60, 255)
    painted = recolour(apple, "purple")
    assert painted is not None
    assert (painted[4:8, 32:38, 1] > painted[4:8, 32:38, 0]).all()
