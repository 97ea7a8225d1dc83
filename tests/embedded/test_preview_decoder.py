"""Previews of the embedded model: what they show, and what a folder without their network does."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from acetate.embedded.preview_decoder import PreviewDecoder
from acetate.images.tensors import to_tensor
from acetate.models.shipped import EMBEDDED_FOLDER
from acetate.modes import run
from acetate.pipelines.embedded.pipeline import EmbeddedPipeline
from acetate_bridge.protocol.types import Recipe, Request


@pytest.fixture(scope="module")
def shipped() -> EmbeddedPipeline:
    return EmbeddedPipeline.from_folder(EMBEDDED_FOLDER, torch.device("cpu"), "embedded")


def premultiplied(rgba: Tensor) -> Tensor:
    return torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], dim=1)


def correlations(one: Tensor, other: Tensor) -> list[float]:
    """Of each channel."""
    pairs = zip(one[0].flatten(1), other[0].flatten(1), strict=True)
    return [float(torch.corrcoef(torch.stack(pair))[0, 1]) for pair in pairs]


@pytest.mark.parametrize("prompt", ["a red apple", "a green bicycle", "a blue butterfly"])
def test_a_preview_shows_what_decoding_shows_in_each_channel(
    shipped: EmbeddedPipeline, prompt: str
) -> None:
    seen: list[Tensor] = []
    recipe = Recipe("text", prompt, seed=3, steps=4, guidance=1, width=384, height=384, passes=1)
    (layer,) = run(Request(recipe), shipped, lambda step: seen.append(step.preview()))
    decoded = to_tensor(layer.image)
    small = interpolate(premultiplied(decoded), seen[-1].shape[-2:], mode="area")
    assert min(correlations(premultiplied(seen[-1]), small)) > 0.85


def test_a_preview_is_a_quarter_of_the_side_of_a_result_and_straight(
    shipped: EmbeddedPipeline,
) -> None:
    latent = torch.randn(2, shipped.latent_channels, 24, 32)
    for shown in (shipped.preview(latent), shipped.preview_opaque(latent)):
        assert shown.shape == (2, 4, 4 * 24, 4 * 32)
        assert 0 <= shown.min() and shown.max() <= 1
    assert bool((shipped.preview_opaque(latent)[:, 3] == 1).all())


def test_colour_is_told_apart_from_alpha_where_there_is_little_of_it() -> None:
    network = PreviewDecoder(latent_channels=2, width=4)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        last = network.net[-1].bias
        assert isinstance(last, Tensor)
        last[:16], last[48:] = 0.25, 0.5
    seen = network.layer(torch.zeros(1, 2, 3, 3))
    assert torch.allclose(seen[:, 0], torch.tensor(0.5)) and not seen[:, 1:3].any()


def test_a_model_without_the_network_shows_what_it_decodes(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(EMBEDDED_FOLDER, folder, ignore=shutil.ignore_patterns("preview", "memory"))
    bare = EmbeddedPipeline.from_folder(folder, torch.device("cpu"), "bare")
    latent = torch.randn(1, bare.latent_channels, 4, 4)
    assert torch.equal(bare.preview(latent), bare.decode_layer(latent, passes=1))


def test_previews_are_no_part_of_what_a_recipe_was_painted_with(
    shipped: EmbeddedPipeline, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(EMBEDDED_FOLDER, folder, ignore=shutil.ignore_patterns("preview", "memory"))
    bare = EmbeddedPipeline.from_folder(folder, torch.device("cpu"), "bare")
    assert bare.model_hash == shipped.model_hash
