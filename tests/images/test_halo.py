from __future__ import annotations

import pytest
import torch
from torch import Tensor

from acetate.images.tensors import bleed
from acetate.latent_transparency import composite_on_grey
from tests.support.halo import halo


@pytest.fixture
def disc() -> Tensor:
    """A soft-edged red disc, red wherever it is visible at all."""
    axis = torch.arange(64) - 31.5
    distance = (axis[:, None] ** 2 + axis**2).sqrt()
    alpha = ((22 - distance) / 4 + 0.5).clamp(0, 1)
    colour = torch.tensor([0.9, 0.1, 0.1])[:, None, None] * (alpha > 0)
    return torch.cat([colour, alpha[None]])[None]


def test_a_clean_edge_has_no_halo(disc: Tensor) -> None:
    assert max(halo(disc).values()) < 1e-6
    assert max(halo(bleed(disc)).values()) < 1e-6


def test_grey_in_the_edge_is_a_halo_on_some_backdrop(disc: Tensor) -> None:
    tainted = torch.cat([composite_on_grey(disc), disc[:, 3:]], dim=1)
    assert max(halo(tainted).values()) > 0.02
    assert max(halo(tainted, truth=disc).values()) > 0.02


def test_a_wrong_alpha_shows_against_the_truth(disc: Tensor) -> None:
    wider = disc.clone()
    wider[:, 3:] = (wider[:, 3:] * 3).clamp(max=1)
    assert max(halo(wider, truth=disc).values()) > 0.05


def test_a_layer_without_an_edge_is_an_error() -> None:
    with pytest.raises(ValueError, match="no edge"):
        halo(torch.ones(1, 4, 16, 16))
