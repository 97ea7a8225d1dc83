from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from acetate.training.dataset import (
    PictureSet,
    held_out_concept,
    read_picture_set,
    split_of,
    write_picture_set,
)
from acetate.training.sources import HELD_OUT_STYLE, Drawing
from tests.training.conftest import drawing


def test_a_concept_is_held_out_in_every_style_that_is_trained_on() -> None:
    held = next(f"{code:x}" for code in range(1000) if held_out_concept(f"{code:x}"))
    assert {split_of(held, style) for style in ("3d", "glossy", "drawn")} == {"concept"}


def test_no_picture_of_the_held_out_style_is_trained_on() -> None:
    assert {split_of(f"{code:x}", HELD_OUT_STYLE) for code in range(200)} == {"style"}


def test_about_a_twentieth_of_the_concepts_is_held_out() -> None:
    share = np.mean([held_out_concept(f"{code:x}") for code in range(4000)])
    assert 0.04 < share < 0.06


def test_splits_do_not_overlap_and_cover_the_set(pictures: PictureSet) -> None:
    rows = [set(pictures.rows(split).tolist()) for split in ("train", "concept", "style")]
    assert sum(map(len, rows)) == len(set.union(*rows)) == len(pictures.entries)


def test_pixels_come_back_as_they_were_written(pictures: PictureSet) -> None:
    assert pictures.pixels.shape == (120, 64, 64, 4)
    assert pictures.pixels[0, 32, 32].tolist()[0] == 200
    assert pictures.pixels[0, 0, 0].tolist() == [0, 0, 0, 0]


def test_a_set_that_was_not_finished_leaves_the_one_before(
    data: Path, pictures: PictureSet
) -> None:
    def broken() -> Iterator[Drawing]:
        yield drawing("1", "3d")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_picture_set(data, broken(), 64)
    again = read_picture_set(data)
    assert again.entries == pictures.entries
    assert np.array_equal(again.pixels, pictures.pixels)


def test_a_missing_set_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="acetate train data"):
        read_picture_set(tmp_path)
