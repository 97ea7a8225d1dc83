"""The kind of alpha that an autoencoder was trained on, by what it gives back."""

from __future__ import annotations

import torch
from torch import Tensor

from acetate.pipelines.measured_alpha import measured_alpha


def test_an_autoencoder_is_of_the_kind_that_it_brings_both_to() -> None:
    def to_black(shown: Tensor) -> Tensor:
        solid = shown[:, 3:] > 0.97
        colour = (shown[:, :3] * solid).sum(dim=(2, 3), keepdim=True) / solid.sum(
            dim=(2, 3), keepdim=True
        )
        return torch.cat([colour * shown[:, 3:], shown[:, 3:]], dim=1)

    def to_straight(shown: Tensor) -> Tensor:
        black = to_black(shown)
        return torch.cat([black[:, :3] / shown[:, 3:].clamp_min(0.01), shown[:, 3:]], dim=1)

    assert measured_alpha(to_black) == "premultiplied"
    assert measured_alpha(to_straight) == "straight"


def test_an_autoencoder_that_gives_back_whatever_it_is_shown_tells_nothing() -> None:
    assert measured_alpha(lambda shown: shown) is None
    assert measured_alpha(torch.zeros_like) is None
