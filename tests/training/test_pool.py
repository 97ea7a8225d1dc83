from __future__ import annotations

import colorsys

import numpy as np

from acetate.training.denoiser import LatentScale
from acetate.training.pool import recolour
from acetate.training.vocabulary import HUES, NAMES, RECOLOURED, with_article

from .conftest import drawing


def test_recolouring_moves_the_main_hue_and_keeps_the_shape() -> None:
    pixels = drawing("a", "3d").pixels
    blue = recolour(pixels, HUES["blue"])
    assert blue is not None
    assert np.array_equal(blue[..., 3], pixels[..., 3])
    hue = colorsys.rgb_to_hsv(*(blue[32, 32, :3] / 255))[0] * 360
    assert abs(hue - HUES["blue"]) < 12


def test_a_grey_picture_is_not_recoloured() -> None:
    grey = np.full((32, 32, 4), 128, np.uint8)
    assert recolour(grey, HUES["red"]) is None


def test_every_recoloured_concept_has_a_name_of_its_own() -> None:
    assert set(RECOLOURED) <= set(NAMES)


def test_articles_follow_the_noun() -> None:
    phrases = [with_article(noun) for noun in ("red apple", "owl", "cherries", "octopus")]
    assert phrases == ["a red apple", "an owl", "cherries", "an octopus"]


def test_the_latent_scale_brings_latents_to_unit_spread_and_back() -> None:
    import torch

    latents = torch.randn(8, 4, 4, 4, generator=torch.Generator().manual_seed(0)) * 3 + 2
    scale = LatentScale.of(latents)
    scaled = scale.apply(latents)
    assert abs(float(scaled.mean())) < 1e-5 and abs(float(scaled.std()) - 1) < 1e-5
    assert torch.allclose(scale.undo(scaled), latents, atol=1e-5)
