from __future__ import annotations

from typing import cast

import pytest
import torch
from torch import Tensor

from acetate.latent_transparency import OffsetEncoder, encode_with_offset, offset_feed
from acetate.latent_transparency.sizes import next_multiple, pad_to_multiple


@pytest.fixture
def encoder() -> OffsetEncoder:
    torch.manual_seed(0)
    network = OffsetEncoder(latent_channels=3, widths=(4, 8, 8, 8))
    torch.nn.init.normal_(cast(Tensor, network.blocks[-1].weight))
    return network


def moments(rgb: Tensor) -> tuple[Tensor, Tensor]:
    mean = torch.nn.functional.avg_pool2d(rgb, 8)
    return mean, torch.full_like(mean, 0.25)


@torch.inference_mode()
def test_the_offset_takes_the_place_of_the_noise(encoder: OffsetEncoder) -> None:
    rgba = torch.rand(2, 4, 16, 24)
    offset = encoder(offset_feed(rgba))
    bare = encode_with_offset(encoder, rgba, moments, factor=0)
    scaled = encode_with_offset(encoder, rgba, moments, factor=300)
    plain = encode_with_offset(encoder, rgba, moments, factor=2, scaled_by_std=False)
    assert torch.allclose(scaled, bare + 0.25 * 300 * offset, rtol=1e-4)
    assert torch.allclose(plain, bare + 2 * offset, rtol=1e-4)


@torch.inference_mode()
def test_the_autoencoder_sees_mid_grey_under_transparency(encoder: OffsetEncoder) -> None:
    clear = torch.rand(1, 4, 8, 8)
    clear[:, 3] = 0
    assert torch.allclose(
        encode_with_offset(encoder, clear, moments, factor=0), torch.full((1, 3, 1, 1), 0.5)
    )


def test_alpha_stands_first_and_last_for_flux() -> None:
    rgba = torch.rand(1, 4, 8, 8)
    assert torch.equal(offset_feed(rgba)[:, :1], rgba[:, 3:])
    assert torch.equal(offset_feed(rgba, alpha_last=True)[:, 3:], rgba[:, 3:])


@torch.inference_mode()
def test_odd_sizes_are_padded_with_transparency(encoder: OffsetEncoder) -> None:
    rgba = torch.rand(1, 4, 13, 17)
    padded = pad_to_multiple(rgba, 16, "transparent")
    assert padded.shape == (1, 4, 16, 32)
    assert torch.equal(padded[..., :13, :17], rgba)
    assert not padded[..., 13:, :].any()
    assert torch.equal(
        encode_with_offset(encoder, rgba, moments, size_multiple=16),
        encode_with_offset(encoder, padded, moments),
    )


def test_edges_are_repeated_for_pictures() -> None:
    picture = torch.rand(1, 3, 3, 5)
    padded = pad_to_multiple(picture, 4, "edge")
    assert torch.equal(padded[..., :3, 5], picture[..., 4])
    assert pad_to_multiple(padded, 4, "edge") is padded


def test_the_next_multiple_never_shrinks() -> None:
    assert [next_multiple(side, 64) for side in (1, 64, 65)] == [64, 64, 128]
