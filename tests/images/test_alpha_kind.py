"""Straight and premultiplied alpha are told apart by the colours of soft edges."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from acetate.images.alpha_kind import alpha_kind


def disc(softness: float, low: float = 0.5, high: float = 0.9) -> Tensor:
    """A straight disc [1, 4, 160, 200] whose colour goes on over its edge and changes across it."""
    across = torch.linspace(low, high, 200)[None, None, :].expand(1, 160, -1)
    colour = torch.cat([across, across.flip(-1), torch.full_like(across, low)])
    away = ((torch.arange(160.0)[:, None] - 80) ** 2 + (torch.arange(200.0) - 100) ** 2).sqrt()
    alpha = ((55 - away) / softness + 0.5).clamp(0, 1)
    return torch.cat([colour, alpha[None]])[None]


def multiplied(rgba: Tensor) -> Tensor:
    return torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], dim=1)


ALPHA = torch.tensor([0.0, 0, 0, 1])[:, None, None]


@pytest.mark.parametrize("softness", [4.0, 12.0, 60.0])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_both_kinds_are_told(softness: float, noise: float) -> None:
    straight = disc(softness)
    grain = torch.randn(straight.shape, generator=torch.Generator().manual_seed(1)) * noise
    assert alpha_kind((straight + grain).clamp(0, 1)) == "straight"
    assert alpha_kind((multiplied(straight) + grain).clamp(0, 1)) == "premultiplied"


def test_hidden_colour_does_not_count() -> None:
    straight = disc(12.0)
    hidden = torch.where(straight[:, 3:] > 0, straight[:, :3], 0.0)
    assert alpha_kind(torch.cat([hidden, straight[:, 3:]], dim=1)) == "straight"


@pytest.mark.parametrize(
    "picture",
    [
        disc(12.0, 0.0, 0.05),
        torch.cat([disc(12.0)[:, :3], torch.ones(1, 1, 160, 200)], dim=1),
        torch.cat([disc(12.0)[:, :3], torch.full((1, 1, 160, 200), 0.5)], dim=1),
        disc(12.0).index_fill(1, torch.tensor([3]), 0) + disc(12.0).round() * ALPHA,
        torch.rand(1, 4, 160, 200, generator=torch.Generator().manual_seed(2)),
    ],
    ids=["dark", "opaque", "nothing solid", "hard edges", "noise"],
)
def test_what_does_not_tell_is_not_guessed(picture: Tensor) -> None:
    assert alpha_kind(picture) is None


def test_colours_half_way_to_black_are_neither() -> None:
    straight = disc(12.0)
    half = (straight + multiplied(straight)) / 2
    assert alpha_kind(half) is None


def test_one_picture_of_a_batch_is_enough() -> None:
    both = torch.cat([multiplied(disc(12.0)), disc(12.0, 0.0, 0.05)])
    assert alpha_kind(both) == "premultiplied"
