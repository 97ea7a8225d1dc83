"""What is seen of the transformers while they paint is what they decode to.

A random decoder shows nothing of its latent that a map could find, so these have learned a little.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from acetate.pipelines.latent_preview import LatentPreview
from acetate.pipelines.loading import load_folder
from tests.pipelines.test_latent_preview import correlation
from tests.support.tiny_flux2 import write_tiny_flux2
from tests.support.tiny_layered import write_tiny_layered
from tests.support.tiny_qwen21 import write_tiny_qwen21
from tests.support.trained_autoencoder import soft_layers, train

pytestmark = pytest.mark.slow
SIDE = 256
WRITE: dict[str, Callable[[Path], Path]] = {
    "qwen21": write_tiny_qwen21,
    "flux2": write_tiny_flux2,
    "layered": write_tiny_layered,
}


@pytest.fixture(scope="module", params=list(WRITE))
def pipeline(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Loaded afresh in each test that learns, as a map is remembered with the model."""
    torch.manual_seed(0)
    family: str = request.param
    loaded: Any = load_folder(WRITE[family](tmp_path_factory.mktemp("seen") / "tiny"), "cpu")
    vae = loaded._whole.vae if family == "layered" else loaded.vae
    train(vae, frames=family != "flux2")
    return loaded


def latent_of(pipeline: Any, layer: Tensor) -> Tensor:
    """Scaled, as the denoiser knows it."""
    if pipeline.family == "flux2":
        return pipeline.encode_image(layer[:, :3])
    if pipeline.family == "qwen21":
        return pipeline.encode_layer(layer)
    vae = pipeline._whole.vae  # Its means and deviations are 0 and 1.
    return vae.encode((layer * 2 - 1)[:, :, None]).latent_dist.mode()[:, :, 0]


def decoded(pipeline: Any, latent: Tensor) -> Tensor:
    """As it will be; opaque where the model knows no transparency."""
    if pipeline.family == "layered":
        return pipeline._decoded(latent)
    return pipeline.decode_layer(latent, 1)


def learnt_from(pipeline: Any, latent: Tensor, rgba: Tensor) -> None:
    """What `decompose` does at its end, and the others at every decode."""
    if pipeline.family == "layered":
        pipeline._preview.learn(latent, rgba)


@torch.inference_mode()
def test_colour_and_alpha_are_those_of_the_decoded_layer(pipeline: Any) -> None:
    """From a latent never seen before, when three others have been decoded."""
    pipeline._preview = LatentPreview(pipeline.family)
    for seed in (1001, 1002, 1003):
        latent = latent_of(pipeline, soft_layers(seed, side=SIDE))
        learnt_from(pipeline, latent, decoded(pipeline, latent))
    latent = latent_of(pipeline, soft_layers(1004, side=SIDE))
    if pipeline.family == "layered":
        # One layer over a hindmost that is not shown.
        seen = pipeline.preview(torch.cat([torch.zeros_like(latent), latent]))
    else:
        seen = pipeline.preview(latent)
    assert seen.shape[1] == 4 and 16 <= seen.shape[-1] < SIDE
    real = interpolate(decoded(pipeline, latent), seen.shape[-2:], mode="area")
    visible = real[:, 3] > 0.5
    for channel in range(3):
        assert correlation(seen[:, channel][visible], real[:, channel][visible]) > 0.8, channel
    if pipeline.family == "flux2":
        assert float(seen[:, 3].min()) > 0.99  # Nothing that it paints is transparent.
    else:
        assert correlation(seen[:, 3], real[:, 3]) > 0.8


@torch.inference_mode()
def test_before_anything_was_decoded_a_small_decode_is_shown(pipeline: Any) -> None:
    pipeline._preview = LatentPreview(pipeline.family)
    latent = latent_of(pipeline, soft_layers(1005, side=SIDE))
    if pipeline.family == "layered":
        seen = pipeline.preview(torch.cat([torch.zeros_like(latent), latent]))
    else:
        seen = pipeline.preview(latent)
    real = interpolate(decoded(pipeline, latent), seen.shape[-2:], mode="area")
    channel = 0 if pipeline.family == "flux2" else 3
    assert correlation(seen[:, channel], real[:, channel]) > 0.8
