"""What becomes of a layer between the decoder and the document."""

from __future__ import annotations

import torch
from torch.nn.functional import avg_pool2d

from acetate.embedded.codec import firmed


def test_a_soft_outline_gets_steeper_and_stays_in_its_place() -> None:
    rgba = torch.zeros(1, 4, 64, 64)
    rgba[..., 16:48, 16:48] = 1
    soft = torch.cat([rgba[:, :3], avg_pool2d(rgba[:, 3:], 5, 1, 2)], dim=1)
    firm = firmed(soft)
    assert (firm[:, 3] - rgba[:, 3]).abs().mean() < 0.8 * (soft[:, 3] - rgba[:, 3]).abs().mean()
    assert torch.equal(firm[:, 3] > 0.5, soft[:, 3] > 0.5)
    assert torch.equal(firm[:, :3], soft[:, :3])


def test_veils_and_wide_glows_stay_as_they_are() -> None:
    veil = torch.full((1, 4, 64, 64), 0.4)
    glow = torch.zeros(1, 4, 64, 64)
    glow[:, 3] = torch.linspace(0, 1, 64)
    for soft in (veil, glow):
        assert torch.equal(firmed(soft), soft)
