from __future__ import annotations

from dataclasses import replace

import pytest

from acetate_bridge.editing.metadata import add_to_history, entry_of, read_history, region_of
from acetate_bridge.editing.thumbnails import alpha_statistics, thumbnail, unpack_thumbnail
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image, Recipe

RECIPE = Recipe("text", "a lantern,\nglowing", seed=1)
REGION = Rect(-3, 4, 50, 60)


def noise(seed: int, side: int = 32) -> Image:
    return Image(side, side, bytes((i * 2654435761 + seed) >> 7 & 255 for i in range(side**2 * 4)))


def test_entries_come_back_newest_first() -> None:
    note = b""
    for seed in range(3):
        entry = entry_of(replace(RECIPE, seed=seed), REGION, noise(seed))
        note = add_to_history(note, entry)
    entries = read_history(note)
    assert [entry.recipe.seed for entry in entries] == [2, 1, 0]
    assert entries[0].picture == noise(2) and entries[0].region == REGION
    assert region_of(replace(RECIPE, seed=1), entries) == REGION
    assert region_of(replace(RECIPE, seed=9), entries) is None


def test_the_oldest_are_forgotten_where_it_grows_too_large() -> None:
    note = b""
    for seed in range(30):
        note = add_to_history(
            note, entry_of(replace(RECIPE, seed=seed), REGION, noise(seed)), 40_000
        )
        assert len(note) <= 40_000
    seeds = [entry.recipe.seed for entry in read_history(note)]
    assert seeds and seeds == list(range(29, 29 - len(seeds), -1)) and len(seeds) < 30


def test_damaged_lines_are_left_out() -> None:
    good = add_to_history(b"", entry_of(RECIPE, REGION, noise(1)))
    assert len(read_history(b"{}\n\xff\xfe\n[1]\nnull\n" + good)) == 1
    assert read_history(b"") == []


@pytest.mark.parametrize(
    "value", [{}, None, {"width": 9**9, "height": 1, "pixels": ""}, {"width": 1, "height": 1}]
)
def test_what_is_no_thumbnail_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        unpack_thumbnail(value)


def test_a_thumbnail_keeps_the_proportions_and_weighs_colour_by_alpha() -> None:
    image = Image(400, 200, (bytes((255, 0, 0, 255)) + bytes((0, 255, 0, 0))) * 40_000)
    small = thumbnail(image)
    assert (small.width, small.height) == (96, 48)
    seen = {small.data[i : i + 3] for i in range(0, len(small.data), 4) if small.data[i + 3]}
    assert seen == {bytes((255, 0, 0))}


def test_a_small_image_is_its_own_thumbnail_in_eight_bits() -> None:
    deep = Image(2, 1, bytes((0, 10, 0, 20, 0, 30, 0, 255)) * 2, "rgba16")
    assert thumbnail(deep) == Image(2, 1, bytes((10, 20, 30, 255)) * 2)


@pytest.mark.parametrize(
    ("alpha", "empty", "opaque"), [(0, True, False), (255, False, True), (128, False, False)]
)
def test_alpha_is_counted_in_both_depths(alpha: int, empty: bool, opaque: bool) -> None:
    for image in (
        Image(8, 8, bytes((1, 2, 3, alpha)) * 64),
        Image(8, 8, bytes((0, 1, 0, 2, 0, 3, alpha, alpha)) * 64, "rgba16"),
    ):
        found = alpha_statistics(image)
        assert (found.empty, found.opaque) == (empty, opaque)


def test_what_is_known_is_not_unpacked_again() -> None:
    first = add_to_history(b"", entry_of(RECIPE, REGION, noise(1)))
    known = read_history(first)
    second = add_to_history(first, entry_of(replace(RECIPE, seed=2), REGION, noise(2)))
    entries = read_history(second, known)
    assert entries[1] is known[0] and entries[0].recipe.seed == 2
