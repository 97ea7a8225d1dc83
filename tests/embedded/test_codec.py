"""What becomes of a layer between the decoder and the document."""

from __future__ import annotations

import torch
from torch.nn.functional import avg_pool2d, max_pool2d

from acetate.embedded.codec import OUTLINE, STEEPER, firmed


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


def test_outlines_are_firmed_to_the_bytes_that_pooling_gives() -> None:
    random = torch.Generator().manual_seed(3)
    rgba = (torch.rand(2, 4, 70, 41, generator=random) * 3 - 1).clamp(0, 1)
    for layer in (rgba, rgba.contiguous(memory_format=torch.channels_last)):
        alpha = layer[:, 3:].contiguous()
        most, least = (
            sign * max_pool2d(sign * alpha, OUTLINE, stride=1, padding=OUTLINE // 2)
            for sign in (1, -1)
        )
        outline = ((most - least - 0.6) / 0.3).clamp(0, 1)
        middle = (most + least) / 2
        steep = torch.clamp((alpha - middle) * STEEPER + middle, least, most)
        assert torch.equal(firmed(layer)[:, 3:], torch.lerp(alpha, steep, outline))
