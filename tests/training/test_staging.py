from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from acetate.embedded.interiors import INTERIORS
from acetate.embedded.scenes import GROUNDS, SKIES, Canvas
from acetate.training.staging import Staged, empty_scene, paint, stage

SIZE = 64


def subject() -> NDArray[np.uint8]:
    layer = np.zeros((SIZE, SIZE, 4), np.uint8)
    layer[8:60, 20:44] = (200, 60, 60, 255)
    return layer


def many() -> list[Staged]:
    return [stage(subject(), np.random.default_rng(seed)) for seed in range(60)]


def test_the_same_seed_paints_the_same_scene() -> None:
    first, second = (empty_scene(SIZE, np.random.default_rng(4)) for _ in range(2))
    assert first.caption == second.caption
    assert np.array_equal(first.pixels, second.pixels)


def test_the_horizon_lies_above_the_foot_of_the_subject() -> None:
    for staged in many():
        foot = np.flatnonzero((staged.layer[..., 3] > 127).any(1))[-1]
        assert staged.scene.horizon * SIZE < foot


def test_the_ground_is_darker_under_the_subject_than_beside_it() -> None:
    darker = []
    for staged in many():
        if "background" not in staged.scene.caption:
            continue
        rows, columns = np.nonzero(staged.layer[..., 3] > 127)
        foot, centre = int(rows.max()), int(columns.mean())
        beside = 2 if centre > SIZE // 2 else SIZE - 3
        grey = staged.scene.pixels.astype(float).mean(-1)
        darker.append(grey[foot - 2, centre] < grey[foot - 2, beside])
    assert darker and np.mean(darker) > 0.9


@pytest.mark.parametrize("kind", sorted(GROUNDS))
@pytest.mark.parametrize("sky", range(len(SKIES)))
def test_every_ground_is_painted_under_every_sky(kind: str, sky: int) -> None:
    from acetate.embedded.scenes import paint_sky

    canvas = Canvas(SIZE, 30, np.random.default_rng(sky))
    picture = paint_sky(canvas, SKIES[sky])
    before = picture.copy()
    GROUNDS[kind][1](canvas, picture)
    assert picture.shape == (SIZE, SIZE, 3) and np.isfinite(picture).all()
    assert (picture[31:] != before[31:]).any()


@pytest.mark.parametrize("interior", INTERIORS, ids=lambda interior: interior.__name__)
def test_every_interior_has_a_caption_and_fills_the_canvas(interior) -> None:  # type: ignore[no-untyped-def]
    picture, caption = interior(Canvas(SIZE, 40, np.random.default_rng(0)))
    assert picture.shape == (SIZE, SIZE, 3) and caption
    assert " a orange" not in caption


def test_scenes_are_varied() -> None:
    captions = {paint(Canvas(SIZE, 40, np.random.default_rng(seed)))[1] for seed in range(80)}
    assert len(captions) > 40
