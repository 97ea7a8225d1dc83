"""The shipped upscaler on layers: tiles leave no seam, empty stays empty, edges bring no rim."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from acetate.upscaling.enlarging import continued_colour, enlarge
from acetate.upscaling.network import (
    REACH,
    SCALES,
    Upscaler,
    load_upscaler,
    shipped_upscaler,
    weights_of,
)

CPU = torch.device("cpu")
LARGEST_FILE = 1_300_000


def disc(side: int, radius: float, colour: tuple[float, float, float], hidden: float) -> Tensor:
    """A smooth disc [1, 4, side, side] of one colour, `hidden` grey under what is transparent."""
    at = torch.arange(side) + 0.5 - side / 2
    alpha = (radius - (at[:, None] ** 2 + at**2).sqrt() + 0.5).clamp(0, 1)
    rgb = torch.tensor(colour)[:, None, None].expand(3, side, side)
    # A poor cut-out: what was behind has leaked into the colour of the edge.
    rgb = torch.where(alpha > 0.9, rgb, torch.full_like(rgb, hidden))
    return torch.cat([rgb, alpha[None]])[None]


@pytest.mark.parametrize("scale", SCALES)
def test_weights_ship_small_and_whole(scale: int) -> None:
    assert weights_of(scale).stat().st_size <= LARGEST_FILE
    assert sum(each.numel() for each in load_upscaler(scale, CPU).parameters()) == 621_424


def test_both_licences_lie_beside_the_weights() -> None:
    texts = [path.read_text() for path in weights_of(2).parent.glob("LICENSE*")]
    assert len(texts) == 2
    assert any("2021, Xintao Wang" in text for text in texts)
    assert any("喵小吉" in text for text in texts)
    assert all("Neither the name of the copyright holder" in text for text in texts)


@pytest.mark.parametrize("scale", SCALES)
def test_tiles_leave_no_seam(scale: int) -> None:
    rgba = torch.rand(1, 4, 70, 90, generator=torch.Generator().manual_seed(1))
    whole, tiled = (enlarge(rgba, scale, tile=tile) for tile in (128, 32))
    assert whole.shape == (1, 4, 70 * scale, 90 * scale)
    assert (whole - tiled).abs().max() < 1e-5


@pytest.mark.parametrize("scale", SCALES)
def test_the_network_sees_no_further_than_its_reach(scale: int) -> None:
    upscaler = load_upscaler(scale, CPU)
    picture = torch.rand(1, 3, 1, 2 * REACH + 9, generator=torch.Generator().manual_seed(2))
    changed = picture.clone()
    changed[..., -1] = 1 - changed[..., -1]
    with torch.inference_mode():
        different = (upscaler(picture) - upscaler(changed)).abs().amax((0, 1, 2)) > 0
    assert different.nonzero()[0] // scale >= picture.shape[-1] - 1 - REACH


@pytest.mark.parametrize("scale", SCALES)
def test_the_shipped_network_is_brought_back_to_the_broad_colours(scale: int) -> None:
    drawn = torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(4))
    colour = interpolate(drawn, size=(48, 48), mode="bilinear")
    opaque = torch.cat([colour, torch.ones(1, 1, 48, 48)], 1)
    upscaler = shipped_upscaler(scale, CPU)
    away = {}
    for true in (True, False):
        large = enlarge(opaque, scale, upscaler=replace(upscaler, true_to_picture=true))[:, :3]
        away[true] = float((avg_pool2d(large, scale) - colour).square().mean())
    assert away[True] < 0.1 * away[False]


def test_an_upscaler_that_takes_noise_away_is_left_alone() -> None:
    same = nn.Conv2d(3, 3, 1, bias=False)
    nn.init.dirac_(same.weight)
    foreign = Upscaler(nn.Sequential(same, nn.Upsample(scale_factor=2, mode="bilinear")), 2)
    layer = torch.rand(1, 4, 20, 20, generator=torch.Generator().manual_seed(5))
    layer[:, 3:] = 1
    bare = interpolate(layer[:, :3], scale_factor=2, mode="bilinear")
    assert torch.allclose(enlarge(layer, 2, upscaler=foreign)[:, :3], bare, atol=1e-6)


def test_what_is_empty_or_full_all_around_stays_so_exactly() -> None:
    rgba = disc(96, 30, (0.8, 0.3, 0.1), 0.0)
    alpha = enlarge(rgba, 4)[0, 3]
    assert alpha[:40].abs().max() == 0
    assert (alpha[192 - 80 : 192 + 80, 192 - 80 : 192 + 80] == 1).all()


def test_an_empty_layer_stays_empty_and_an_opaque_one_opaque() -> None:
    colour = torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(3))
    for value in (0.0, 1.0):
        alpha = torch.full((1, 1, 20, 20), value)
        assert (enlarge(torch.cat([colour, alpha], 1), 2)[:, 3] == value).all()


@pytest.mark.parametrize("hidden", [0.0, 1.0])
@pytest.mark.parametrize("scale", SCALES)
def test_hidden_colour_brings_no_rim(scale: int, hidden: float) -> None:
    colour = (0.7, 0.4, 0.2)
    enlarged = enlarge(disc(64, 20, colour, hidden), scale)
    seen = enlarged[0, 3] > 0.02
    wrong = (enlarged[0, :3] - torch.tensor(colour)[:, None, None]).abs().amax(0)
    assert wrong[seen].max() < 0.03


def test_an_even_veil_keeps_its_own_colour() -> None:
    veil = torch.rand(1, 4, 16, 16, generator=torch.Generator().manual_seed(4))
    veil[:, 3] = 0.2
    assert torch.equal(continued_colour(veil), veil[:, :3])
