from __future__ import annotations

from typing import Any, cast

import pytest
import torch

from acetate.latent_transparency import OffsetEncoder, TransparentDecoder

SMALL_DECODER: dict[str, Any] = {
    "latent_channels": 12, "widths": (48, 80, 128), "layers_per_level": 1, "latent_level": 2,
    "attention_levels": (), "pixel_unshuffle": 4,
}  # fmt: skip


def test_an_untrained_encoder_leaves_the_latent_as_it_is() -> None:
    assert not OffsetEncoder()(torch.rand(1, 4, 16, 16)).any()


def test_an_untrained_decoder_ignores_the_latent() -> None:
    decoder = TransparentDecoder(**SMALL_DECODER)
    pixel = torch.rand(1, 3, 32, 32)
    assert torch.equal(
        decoder(pixel, torch.zeros(1, 12, 2, 2)), decoder(pixel, torch.randn(1, 12, 2, 2))
    )


@pytest.mark.parametrize(
    ("arguments", "multiple"),
    [({}, 8), ({"latent_channels": 12, "widths": (48, 80, 128), "pixel_unshuffle": 4}, 16)],
)
def test_the_offset_is_as_small_as_the_latent(arguments: dict[str, Any], multiple: int) -> None:
    encoder = OffsetEncoder(**arguments)
    assert encoder.size_multiple == multiple
    channels = arguments.get("latent_channels", 4)
    assert encoder(torch.rand(1, 4, 2 * multiple, 48)).shape == (1, channels, 2, 48 // multiple)


def test_unshuffling_moves_the_decoder_to_a_coarser_grid() -> None:
    decoder = TransparentDecoder(**SMALL_DECODER)
    assert (decoder.size_multiple, decoder.latent_factor) == (16, 16)
    assert decoder(torch.rand(2, 3, 48, 32), torch.randn(2, 12, 3, 2)).shape == (2, 4, 48, 32)


def test_the_published_sizes() -> None:
    with torch.device("meta"):
        decoder, encoder = TransparentDecoder(), OffsetEncoder()
    assert (decoder.size_multiple, decoder.latent_factor, encoder.size_multiple) == (64, 8, 8)
    assert sum(p.numel() for p in decoder.parameters()) == 104_104_804
    assert sum(p.numel() for p in encoder.parameters()) == 1_181_764


@pytest.mark.parametrize(
    ("network", "arguments"),
    [
        (OffsetEncoder, {"latent_channels": 2, "widths": (8, 16), "pixel_unshuffle": 2}),
        (TransparentDecoder, SMALL_DECODER),
    ],
)
def test_the_configuration_rebuilds_the_network(network: Any, arguments: dict[str, Any]) -> None:
    first = network(**arguments)
    second = network(**first.config)
    second.load_state_dict(first.state_dict())
    assert second.config == first.config


def test_sides_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match="multiples of 16, not 32 × 20"):
        TransparentDecoder(**SMALL_DECODER)(torch.rand(1, 3, 20, 32), torch.randn(1, 12, 1, 2))
    with pytest.raises(ValueError, match="need a latent of 2 × 2, not 3 × 2"):
        TransparentDecoder(**SMALL_DECODER)(torch.rand(1, 3, 32, 32), torch.randn(1, 12, 2, 3))
    with pytest.raises(ValueError, match="multiples of 8, not 9 × 8"):
        OffsetEncoder()(torch.rand(1, 4, 8, 9))
    with pytest.raises(ValueError, match="latent_level 3 is not one of 3 levels"):
        TransparentDecoder(**SMALL_DECODER | {"latent_level": 3})


def test_both_networks_can_be_trained() -> None:
    decoder = TransparentDecoder(**SMALL_DECODER)
    encoder = OffsetEncoder(latent_channels=12, widths=(48, 80, 128), pixel_unshuffle=4)
    torch.nn.init.normal_(decoder.latent_conv_in.weight)
    feed = torch.rand(1, 4, 32, 32)
    decoder(feed[:, 1:], encoder(feed)).square().mean().backward()
    for network in (encoder, decoder):
        assert all(p.grad is not None for p in network.parameters())
    assert cast(Any, encoder.blocks[-1]).weight.grad.abs().max() > 0
