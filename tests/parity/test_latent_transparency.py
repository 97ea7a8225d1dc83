"""The transparency pair against the published code, at full published size."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor

from acetate.latent_transparency import (
    OffsetEncoder,
    TransparentDecoder,
    checkerboard,
    composite_over,
    decode_transparent,
    encode_with_offset,
    offset_feed,
    pad_colour,
)
from tests.parity.reference import (
    TOLERANCE,
    difference,
    golden,
    listing,
    picture,
    seeded_state,
    to_tensor,
)


@pytest.fixture(scope="module")
def decoder() -> TransparentDecoder:
    network = TransparentDecoder()
    network.load_state_dict(seeded_state(listing("keys_decoder"), "decoder"))
    return network


@pytest.fixture(scope="module")
def encoder() -> OffsetEncoder:
    network = OffsetEncoder()
    network.load_state_dict(seeded_state(listing("keys_encoder"), "encoder"))
    return network


@pytest.fixture(scope="module")
def autoencoder() -> AutoencoderKL:
    network = AutoencoderKL(**listing("tiny_vae_config"))
    network.load_state_dict(seeded_state(listing("tiny_vae_shapes"), "tinyvae"))
    return network


@pytest.mark.parametrize(
    ("network", "names"),
    [
        (TransparentDecoder, "keys_decoder"),
        (OffsetEncoder, "keys_encoder"),
        (lambda: TransparentDecoder(latent_channels=16), "keys_flux_decoder"),
        (lambda: OffsetEncoder(latent_channels=16), "keys_flux_encoder"),
    ],
)
def test_the_networks_have_the_published_names_and_shapes(network, names) -> None:
    with torch.device("meta"):
        ours = {name: list(tensor.shape) for name, tensor in network().state_dict().items()}
    assert ours == listing(names)


def test_one_pass_of_the_decoder(decoder: TransparentDecoder) -> None:
    expected = golden("decoder_256")
    pixel, latent = (torch.from_numpy(expected[name]) for name in ("pixel", "latent"))
    with torch.inference_mode():
        assert difference(decoder(pixel, latent), expected["single"]) < TOLERANCE


@pytest.mark.exhaustive
def test_the_median_of_eight_passes(decoder: TransparentDecoder) -> None:
    expected = golden("decoder_256")
    pixel, latent = (torch.from_numpy(expected[name]) for name in ("pixel", "latent"))
    rgba = decode_transparent(decoder, pixel, latent, passes=8)
    alpha_first = torch.cat([rgba[:, 3:], rgba[:, :3]], dim=1)
    assert difference(alpha_first, expected["augmented"]) < TOLERANCE


@pytest.mark.parametrize("name", sorted(golden("pad_rgb")))
def test_padded_colour(name: str) -> None:
    kind, size = name.split("_")
    height, width = map(int, size.split("x"))
    padded = pad_colour(to_tensor(picture(kind, height, width)))
    assert difference(padded[0].movedim(0, -1), golden("pad_rgb")[name]) < TOLERANCE


def test_the_offset_and_what_it_is_made_from(encoder: OffsetEncoder) -> None:
    expected = golden("encoder_256")
    feed = offset_feed(to_tensor(expected["image"]))
    assert difference(feed, expected["feed"]) < TOLERANCE
    assert difference(encoder(feed), expected["offset"]) < TOLERANCE


@torch.inference_mode()
def test_encoding_with_a_frozen_autoencoder(
    encoder: OffsetEncoder, autoencoder: AutoencoderKL
) -> None:
    expected = golden("end2end_tinyvae_256")

    def moments(rgb: Tensor) -> tuple[Tensor, Tensor]:
        distribution = cast(Any, autoencoder.encode(rgb * 2 - 1)).latent_dist
        assert difference(distribution.mean, expected["dist_mean"]) < TOLERANCE
        assert difference(distribution.std, expected["dist_std"]) < TOLERANCE
        return distribution.mean, distribution.std

    latent = encode_with_offset(encoder, to_tensor(expected["images"]), moments)
    assert difference(latent, expected["latent_with_offset"]) < TOLERANCE


@pytest.mark.exhaustive
@torch.inference_mode()
def test_decoding_through_a_frozen_autoencoder(
    decoder: TransparentDecoder, autoencoder: AutoencoderKL
) -> None:
    expected = golden("end2end_tinyvae_256")
    latent = torch.from_numpy(expected["decode_input"])
    pixel = (cast(Any, autoencoder).decode(latent).sample * 0.5 + 0.5).clamp(0, 1)
    assert difference(pixel, expected["vae_pixels"]) < TOLERANCE
    rgba = decode_transparent(decoder, pixel, latent, passes=8)
    seen = composite_over(rgba, checkerboard(*rgba.shape[-2:]))
    assert_same_bytes(rgba, expected["png"])
    assert_same_bytes(seen, expected["vis"])


def assert_same_bytes(ours: Tensor, theirs: np.ndarray) -> None:
    """The published code truncates to bytes; a value on the border may fall to either side."""
    truncated = (ours * 255).clamp(0, 255).movedim(1, -1).numpy().astype(np.uint8)
    apart = np.abs(truncated.astype(int) - theirs.astype(int))
    assert apart.max() <= 1
    assert (apart > 0).mean() < 0.005
