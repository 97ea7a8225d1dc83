"""Previews tell the truth: a linear map of the latent looks like what it is decoded to."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from acetate.pipelines.latent_colours import FIELD
from acetate.pipelines.latent_preview import LatentPreview, shrunk
from acetate.pipelines.loading import load_pipeline

SIDE = 384


def correlation(one: Tensor, other: Tensor) -> float:
    """Pearson's coefficient of two channels."""
    both = torch.stack([one.flatten(), other.flatten()]).double()
    return float(torch.corrcoef(both)[0, 1])


@pytest.mark.parametrize("family", list(FIELD))
def test_the_fields_map_is_where_it_begins(family: str) -> None:
    rows, bias = FIELD[family]
    latent = torch.randn(1, len(rows), 6, 5, generator=torch.Generator().manual_seed(1))
    seen = LatentPreview(family).see(latent)
    assert seen.shape == (1, 4, 6, 5) and bool((seen[:, 3] == 1).all())
    y, x = 2, 3
    place = [
        sum(float(latent[0, channel, y, x]) * row[colour] for channel, row in enumerate(rows))
        for colour in range(3)
    ]
    for colour in range(3):
        expected = min(max((place[colour] + bias[colour]) / 2 + 0.5, 0.0), 1.0)
        assert float(seen[0, colour, y, x]) == pytest.approx(expected, abs=1e-5)


def test_a_black_or_white_latent_of_sd15_is_not_inverted() -> None:
    """The first channel of SD 1.5 is brightness, the last one its inverse."""
    preview = LatentPreview("sd15")
    bright = preview.see(torch.tensor([2.0, 0.5, 0.0, -1.0]).view(1, 4, 1, 1))
    dark = preview.see(torch.tensor([-2.0, -0.5, 0.0, 1.0]).view(1, 4, 1, 1))
    assert bool((bright[:, :3] > 0.8).all()) and bool((dark[:, :3] < 0.2).all())


def test_a_model_that_the_field_does_not_know_is_seen_in_grey() -> None:
    seen = LatentPreview("layered").see(torch.zeros(1, 7, 4, 4))
    assert bool((seen[:, :3] == 0.5).all()) and bool((seen[:, 3] == 1).all())


def test_alpha_is_that_of_a_small_decode_as_long_as_nothing_else_is_known() -> None:
    latent = torch.randn(1, 64, 40, 32, generator=torch.Generator().manual_seed(1))
    asked: list[tuple[int, ...]] = []

    def decoded() -> Tensor:
        small = shrunk(latent)
        asked.append(tuple(small.shape))
        alpha = torch.zeros(1, 1, *small.shape[-2:])
        alpha[..., :8] = 1
        return torch.cat([torch.zeros(1, 3, *small.shape[-2:]), alpha], dim=1)

    preview = LatentPreview("qwen21")
    seen = preview.see(latent, decoded)
    assert asked == [(1, 64, 16, 13)] and seen.shape == (1, 4, 40, 32)
    assert torch.equal(seen[:, :3], preview.see(latent)[:, :3])
    assert bool((seen[..., 3, :, :19] == 1).all()) and bool((seen[..., 3, :, 20:] == 0).all())
    preview.learn(latent, torch.ones(1, 4, 40 * 16, 32 * 16))
    preview.see(latent, decoded)
    assert len(asked) == 1


def test_on_the_embedded_model_colour_and_alpha_follow_the_real_decode() -> None:
    """Its autoencoder is a real one: three layers are learnt from, a fourth is foreseen."""
    pipeline = load_pipeline("embedded", "cpu")
    preview = LatentPreview("embedded")
    pairs: list[tuple[Tensor, Tensor]] = []
    for seed in range(4):
        generator = torch.Generator().manual_seed(seed)
        pixels = torch.rand(1, 4, 6, 6, generator=generator)
        layer = interpolate(pixels, (SIDE, SIDE), mode="bicubic").clamp(0, 1)
        layer[:, 3] = (layer[:, 3] * 3 - 1).clamp(0, 1)
        latent = pipeline.encode_layer(layer)
        pairs.append((latent, pipeline.decode_layer(latent, passes=1)))
    for latent, rgba in pairs[:3]:
        preview.learn(latent, rgba)
    latent, rgba = pairs[3]
    seen = preview.see(latent)
    small = interpolate(rgba, seen.shape[-2:], mode="area")
    assert correlation(seen[:, 3], small[:, 3]) > 0.9
    for channel in range(3):
        visible = small[:, 3] > 0.5
        assert correlation(seen[:, channel][visible], small[:, channel][visible]) > 0.85


def tiny_pair(latent: Tensor) -> Tensor:
    """Straight RGBA of a decoder that was "trained": mixed channels, bent at the ends, larger."""
    mix = torch.tensor(
        [[0.5, 0.1, -0.3, 0.2], [0.2, 0.6, 0.1, -0.2], [-0.1, 0.3, 0.4, 0.3], [0.1, -0.4, 0.2, 0.9]]
    )
    bent = torch.sigmoid(2 * torch.einsum("bchw,rc->brhw", latent, mix))
    return interpolate(bent, scale_factor=8, mode="bilinear")


def smooth(seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return interpolate(torch.randn(1, 4, 8, 8, generator=generator), (32, 24), mode="bicubic")


def test_one_decoded_layer_teaches_the_alpha_of_a_tiny_pair() -> None:
    preview = LatentPreview("sd15")
    latent, other = smooth(1), smooth(2)
    assert float(preview.see(other)[:, 3].min()) == 1
    preview.learn(latent, tiny_pair(latent))
    seen = preview.see(other)
    real = interpolate(tiny_pair(other), seen.shape[-2:], mode="area")
    for channel in range(4):
        assert correlation(seen[:, channel], real[:, channel]) > 0.9, channel


def test_a_colour_that_no_layer_has_shown_is_seen_as_the_field_sees_it() -> None:
    """All that was decoded was of one latent; another direction stays what it was."""
    preview, field = LatentPreview("sd15"), LatentPreview("sd15")
    shown = torch.tensor([0.5, 0.0, 0.0, 0.0]).view(1, 4, 1, 1).expand(1, 4, 32, 24)
    layer = torch.tensor([0.9, 0.1, 0.1, 1.0]).view(1, 4, 1, 1).expand(1, 4, 256, 192)
    preview.learn(shown, layer)
    assert torch.allclose(preview.see(shown)[:, :3], layer[:, :3, :32, :24], atol=0.02)
    other = torch.tensor([0.5, 0.8, 0.6, -0.4]).view(1, 4, 1, 1).expand(1, 4, 32, 24)
    moved = preview.see(other)[:, :3] - preview.see(shown)[:, :3]
    expected = field.see(other)[:, :3] - field.see(shown)[:, :3]
    assert torch.allclose(moved, expected, atol=0.02)


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_what_broke_teaches_nothing(broken: float) -> None:
    preview = LatentPreview("sd15")
    latent = smooth(1)
    rgba = tiny_pair(latent)
    rgba[0, 0, 0, 0] = broken
    preview.learn(latent, rgba)
    assert bool((preview.see(smooth(2))[:, 3] == 1).all())


def test_a_layer_without_anything_on_it_teaches_no_nonsense() -> None:
    preview = LatentPreview("sd15")
    preview.learn(smooth(1), torch.zeros(1, 4, 256, 192))
    seen = preview.see(smooth(2))
    assert bool(torch.isfinite(seen).all()) and float(seen[:, 3].max()) < 0.1
