"""The figures that need no eye: sharp edges, colours, names, cost."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from acetate.training.agreement import SIDE, thumbnails, train_classifier, varied
from acetate.training.cost import matrix_product
from acetate.training.crispness import edge_width
from acetate.training.hues import has_colour, mean_hue


def box(colour: tuple[float, float, float], side: int = 96) -> Tensor:
    rgba = torch.zeros(1, 4, side, side)
    rgba[:, :, side // 4 : side * 3 // 4, side // 4 : side * 3 // 4] = torch.tensor(
        [*colour, 1.0]
    ).view(1, 4, 1, 1)
    return rgba


def test_an_edge_is_as_wide_as_its_ramp() -> None:
    ramp = torch.zeros(1, 4, 64, 64)
    ramp[:, 3] = ((torch.arange(64) - 22) / 20).clamp(0, 1)
    assert edge_width(ramp) == pytest.approx(20, rel=0.1)
    soft = box((1, 0, 0))
    soft[:, 3:] = avg_pool2d(soft[:, 3:], 9, 1, 4)
    assert edge_width(soft) > 2 * edge_width(box((1, 0, 0)))
    assert edge_width(torch.zeros(1, 4, 8, 8)) == 0


@pytest.mark.parametrize(
    ("colour", "paint"),
    [
        ("red", (0.85, 0.1, 0.1)),
        ("blue", (0.2, 0.4, 0.9)),
        ("brown", (0.5, 0.32, 0.2)),
        ("black", (0.1, 0.1, 0.12)),
        ("white", (0.96, 0.95, 0.94)),
        ("grey", (0.55, 0.55, 0.56)),
    ],
)
def test_a_colour_is_told_from_the_others(colour: str, paint: tuple[float, float, float]) -> None:
    others = {"red", "blue", "green", "black", "white", "grey"} - {colour}
    assert has_colour(box(paint), colour)
    assert not any(has_colour(box(paint), other) for other in others)


def test_what_cannot_be_seen_has_no_part_in_the_hue() -> None:
    seen = box((0.1, 0.8, 0.1))
    seen[:, :3, :16] = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
    assert mean_hue(seen) == pytest.approx(120, abs=1)


def test_the_classifier_names_shapes_however_they_lie() -> None:
    bar, ring, square = (torch.zeros(1, 4, 96, 96) for _ in range(3))
    bar[..., 40:56, 8:88] = 1
    square[..., 20:76, 20:76] = 1
    ring[..., 20:76, 20:76] = 1
    ring[..., 34:62, 34:62] = 0
    shapes = torch.cat([thumbnails(one) for one in (bar, ring, square)])
    assert shapes.shape == (3, 4, SIDE, SIDE)
    classifier = train_classifier(shapes, 60, lambda line: None)
    seen = varied(shapes, torch.Generator().manual_seed(5))
    assert classifier(shapes).argmax(1).tolist() == [0, 1, 2]
    assert (classifier(seen).argmax(1) == torch.arange(3)).sum() >= 2


def test_a_thumbnail_shows_what_is_seen_in_its_middle() -> None:
    corner = torch.zeros(1, 4, 96, 96)
    corner[..., 4:24, 60:90] = 1
    (small,) = thumbnails(corner)
    assert small[3, SIDE // 2, SIDE // 2] == 1 and small[3, 0].max() < 0.1
    assert thumbnails(torch.zeros(1, 4, 8, 8)).abs().max() == 0


def test_a_matrix_product_has_a_speed() -> None:
    assert matrix_product() > 1e8
