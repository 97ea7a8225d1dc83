"""Previews by a tiny autoencoder, where one was fetched: its colours, and the map's alpha."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from torch.nn.functional import interpolate

from acetate.models.families import FAMILIES
from acetate.models.preview_decoders import REPOSITORIES, WEIGHTS, preview_decoders
from acetate.models.pull import pull
from acetate.pipelines.latent_preview import LatentPreview
from acetate.pipelines.tiny_decoder import LARGEST, TinyDecoder, quickly_decoded, tiny_decoder
from tests.models.hub_server import Hub

CPU = torch.device("cpu")


def tiny() -> AutoencoderTiny:
    torch.manual_seed(3)
    widths = (8, 8, 8, 8)
    kind: Any = AutoencoderTiny
    network = kind(
        encoder_block_out_channels=widths, decoder_block_out_channels=widths,
        num_encoder_blocks=(1, 1, 1, 1), num_decoder_blocks=(1, 1, 1, 1), latent_channels=4,
    )  # fmt: skip
    network.decoder.layers[-1].bias.data.fill_(0.5)  # About mid grey, so that little is clipped.
    return network


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(
        "acetate.models.licences.user_config_path", lambda name: tmp_path / "config" / name
    )
    cast("Any", tiny()).save_pretrained(tmp_path / "tiny")
    files = {path.name: path.read_bytes() for path in (tmp_path / "tiny").iterdir()}
    with Hub({repository: dict(files) for repository in REPOSITORIES.values()}) as running:
        yield running


def test_each_is_for_a_family_with_a_linear_map() -> None:
    assert set(preview_decoders()) == {"preview-sd15", "preview-sdxl", "preview-flux"}
    assert set(REPOSITORIES) <= set(FAMILIES)


def test_none_is_used_before_it_was_fetched(hub: Hub) -> None:
    assert tiny_decoder("sdxl", 4, CPU, torch.float32) is None
    assert tiny_decoder("qwen21", 4, CPU, torch.float32) is None
    assert hub.sent == 0


def test_once_fetched_it_shows_what_it_decodes_with_the_alpha_of_the_map(hub: Hub) -> None:
    pull(preview_decoders()["preview-sdxl"], accepted=True, endpoint=hub.address)
    found = tiny_decoder("sdxl", 4, CPU, torch.float32)
    assert isinstance(found, TinyDecoder)
    # As smooth as what is painted: the finest of it is not seen in a small picture.
    coarse = torch.randn(1, 4, 6, 5, generator=torch.Generator().manual_seed(1))
    latent = interpolate(coarse, (48, 40), mode="bilinear")
    network: Any = tiny().eval()
    with torch.inference_mode():
        seen = LatentPreview("sdxl", found).see(latent)
        decoded = [
            interpolate(network.decode(each, return_dict=False)[0], seen.shape[-2:], mode="area")
            for each in (quickly_decoded(latent), latent)
        ]
    assert seen.shape[-2:] == (LARGEST, round(LARGEST * 40 / 48))
    # Of a whole decode even a random network, which paints little but grain, is not far away.
    for wanted, likeness in zip(decoded, (0.999, 0.9), strict=True):
        for channel in range(3):
            both = [picture[0, channel].flatten() for picture in (seen, wanted * 0.5 + 0.5)]
            assert float(torch.corrcoef(torch.stack(both))[0, 1]) > likeness
    assert bool((seen[:, 3] == 1).all())
    half = found.see(latent, torch.full((1, 1, 48, 40), 0.5))
    assert bool((half[:, 3] == 0.5).all())


@pytest.mark.parametrize(
    ("sides", "decoded"),
    [((128, 128), (64, 64)), ((64, 64), (32, 32)), ((48, 40), (32, 27)), ((24, 32), (24, 32))],
)
def test_no_more_is_decoded_than_is_shown_nor_less_than_half(
    sides: tuple[int, int], decoded: tuple[int, int]
) -> None:
    assert tuple(quickly_decoded(torch.zeros(1, 4, *sides)).shape[-2:]) == decoded


def test_one_for_other_latents_or_a_damaged_one_is_left_alone(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    assert hub.files[REPOSITORIES["flux"]]
    pull(preview_decoders()["preview-flux"], accepted=True, endpoint=hub.address)
    assert tiny_decoder("flux", 16, CPU, torch.float32) is None  # This one has four channels.
    hub.files[REPOSITORIES["sd15"]][WEIGHTS] = b"no weights"
    pull(preview_decoders()["preview-sd15"], accepted=True, endpoint=hub.address)
    with caplog.at_level(logging.WARNING, "acetate.pipelines"):
        assert tiny_decoder("sd15", 4, CPU, torch.float32) is None
    assert "previews are made without madebyollin/taesd" in caplog.text
