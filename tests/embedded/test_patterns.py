"""What is laid over a drawing beyond its colour."""

from __future__ import annotations

import numpy as np
import pytest

from acetate.embedded.patterns import CLEAR, glassy, patterned


def ball(colour: tuple[int, int, int]) -> np.ndarray:
    y, x = np.mgrid[0:128, 0:128]
    pixels = np.zeros((128, 128, 4), np.uint8)
    pixels[(x - 64) ** 2 + (y - 64) ** 2 < 56**2] = (*colour, 255)
    return pixels


@pytest.mark.parametrize("pattern", ["striped", "spotted"])
@pytest.mark.parametrize(("colour", "over"), [((200, 30, 30), 255), ((240, 240, 240), 90)])
def test_a_pattern_covers_a_part_of_the_thing_and_keeps_its_shape(
    pattern: str, colour: tuple[int, int, int], over: int
) -> None:
    pixels = ball(colour)
    laid = patterned(pixels, pattern)
    assert np.array_equal(laid[..., 3], pixels[..., 3])
    blue = laid[pixels[..., 3] > 0][:, 2].astype(int)
    assert 0.2 < (np.abs(blue - over) < 40).mean() < 0.6
    assert 0.3 < (np.abs(blue - colour[2]) < 20).mean() < 0.8


def test_stripes_stand_and_spots_do_not() -> None:
    striped, spotted = (patterned(ball((30, 60, 200)), one) for one in ("striped", "spotted"))
    column = slice(50, 78)
    assert np.ptp(striped[column, 64, 0].astype(int)) < 30
    assert np.ptp(spotted[column, :, 0].astype(int).min(1)) < 60
    assert np.ptp(spotted[column, 64, 0].astype(int)) > 100


def test_a_leaf_of_another_colour_has_no_stripes() -> None:
    pixels = ball((200, 30, 30))
    pixels[10:20, 58:70, :3] = (40, 150, 50)
    laid = patterned(pixels, "striped")
    assert np.abs(laid[12:18, 60:68, :3].astype(int) - (40, 150, 50)).max() < 12


def test_a_picture_of_nothing_stays_as_it_is() -> None:
    nothing = np.zeros((32, 32, 4), np.uint8)
    assert np.array_equal(patterned(nothing, "spotted"), nothing)
    assert np.array_equal(glassy(nothing, coloured=True), nothing)


def test_glass_can_be_seen_through_and_keeps_a_colour_that_was_asked_for() -> None:
    pixels = ball((30, 60, 200))
    coloured, plain = glassy(pixels, coloured=True), glassy(pixels, coloured=False)
    assert coloured[64, 64, 3] == plain[64, 64, 3] == round(255 * CLEAR)
    assert np.abs(coloured[64, 64, :3].astype(int) - pixels[64, 64, :3]).max() <= 1
    assert plain[64, 64, 0] > 120 and coloured[0, 0, 3] == 0
