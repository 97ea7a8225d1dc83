"""A reference for Flux by IP-Adapter: as diffusers paints with it, beside patches, and undone."""

from __future__ import annotations

import copy
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.pipelines.flux.pipeline_flux import FluxPipeline as Theirs
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from PIL import Image as PilImage
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.clip.modeling_clip import CLIPVisionModelWithProjection

from acetate.adapters import PatchMismatch
from acetate.errors import BadRequest
from acetate.models.files import read_config
from acetate.models.image_adapters import ImageEncoderFile
from acetate.pipelines.flux import FluxPipeline
from acetate.pipelines.flux.latents import pack, unpack
from acetate.pipelines.loading import load_folder
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.support.tiny_flux import write_tiny_flux
from tests.support.tiny_image_adapters import (
    IMAGE_SIDE,
    write_flux_image_adapter,
    write_image_encoder,
)

SIDE, STEPS, GUIDANCE = 128, 3, 3.5


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> FluxPipeline:
    folder = write_tiny_flux(tmp_path_factory.mktemp("flux") / "base", pickled=False)
    loaded = load_folder(folder, "cpu")
    assert isinstance(loaded, FluxPipeline)
    return loaded


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_encoder(tmp_path_factory.mktemp("encoder") / "image_encoder")


@pytest.fixture
def encoder(folder: Path) -> ImageEncoderFile:
    return ImageEncoderFile(folder / "model.safetensors", read_config(folder / "config.json"))


def noise() -> Tensor:
    return torch.randn(1, 16, SIDE // 8, SIDE // 8, generator=torch.Generator().manual_seed(9))


def picture(seed: int = 1) -> Tensor:
    """An opaque picture of noise, in the steps of 8 bits."""
    drawn = torch.randint(256, (1, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(seed))
    return torch.cat([drawn / 255, torch.ones(1, 1, SIDE, SIDE)], dim=1)


def painted(pipeline: FluxPipeline, **settings: Any) -> Tensor:
    prompt = pipeline.encode_prompt(["a lantern"], [""])
    with torch.inference_mode():
        return pipeline.denoise(noise(), prompt, steps=STEPS, guidance=GUIDANCE, **settings)


def by_diffusers(
    pipeline: FluxPipeline, adapters: list[tuple[Path, Tensor, float]], folder: Path
) -> Tensor:
    """The same with diffusers' own pipeline and its own loader, on a copy of the denoiser."""
    prompt = pipeline.encode_prompt(["a lantern"], [""])
    side = {"height": IMAGE_SIDE, "width": IMAGE_SIDE}
    make: Any = Theirs
    theirs: Any = make(
        scheduler=FlowMatchEulerDiscreteScheduler.from_config(pipeline.scheduler_config),
        vae=pipeline.vae,
        text_encoder=None,
        tokenizer=None,
        text_encoder_2=None,
        tokenizer_2=None,
        transformer=copy.deepcopy(pipeline.transformer),
        image_encoder=CLIPVisionModelWithProjection.from_pretrained(folder),
        feature_extractor=CLIPImageProcessorPil(size={"shortest_edge": IMAGE_SIDE}, crop_size=side),
    )
    theirs.load_ip_adapter(
        [str(path.parent) for path, _, _ in adapters],
        weight_name=[path.name for path, _, _ in adapters],
        subfolder="",
        low_cpu_mem_usage=False,
    )
    theirs.set_ip_adapter_scale([strength for _, _, strength in adapters])
    theirs.set_progress_bar_config(disable=True)
    shown = [
        PilImage.fromarray((each[0, :3].permute(1, 2, 0) * 255).round().byte().numpy())
        for _, each, _ in adapters
    ]
    packed = theirs(
        prompt_embeds=prompt.positive,
        pooled_prompt_embeds=prompt.pooled_positive,
        latents=pack(noise()),
        num_inference_steps=STEPS,
        guidance_scale=GUIDANCE,
        height=SIDE,
        width=SIDE,
        ip_adapter_image=shown,
        output_type="latent",
    ).images
    return unpack(packed, SIDE // 8, SIDE // 8)


def difference(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max() / other.abs().max())


@pytest.mark.parametrize("layout", ["theirs", "plain"])
def test_a_reference_is_gone_by_as_diffusers_does(
    pipeline: FluxPipeline, layout: str, folder: Path, encoder: ImageEncoderFile, tmp_path: Path
) -> None:
    path = tmp_path / "ip.safetensors"
    write_flux_image_adapter(path, pipeline.transformer, layout)
    with pipeline.resembling(path, encoder, picture(), 0.7):
        ours = painted(pipeline)
    theirs = by_diffusers(pipeline, [(path, picture(), 0.7)], folder)
    assert difference(ours, theirs) <= 1e-4
    assert difference(painted(pipeline), theirs) > 1e-2


def test_two_references_each_with_their_strength(
    pipeline: FluxPipeline, folder: Path, encoder: ImageEncoderFile, tmp_path: Path
) -> None:
    one = write_flux_image_adapter(tmp_path / "one.safetensors", pipeline.transformer)
    other = write_flux_image_adapter(tmp_path / "two.safetensors", pipeline.transformer, "plain")
    wanted = [(one, picture(1), 0.5), (other, picture(2), 1.2)]
    with ExitStack() as stack:
        for path, shown, strength in wanted:
            stack.enter_context(pipeline.resembling(path, encoder, shown, strength))
        ours = painted(pipeline)
    assert difference(ours, by_diffusers(pipeline, wanted, folder)) <= 1e-4


def test_beside_transparency_and_undone_to_the_last_byte(
    pipeline: FluxPipeline, encoder: ImageEncoderFile, tmp_path: Path
) -> None:
    path = write_flux_image_adapter(tmp_path / "ip.safetensors", pipeline.transformer)
    patch = pipeline.patch_for("text")
    before, first = snapshot(pipeline.denoiser), painted(pipeline, patch=patch)
    processors = dict(pipeline.transformer.attn_processors)
    with pipeline.resembling(path, encoder, picture(), 0.8):
        assert difference(painted(pipeline, patch=patch), first) > 1e-2
        with pytest.raises(KeyboardInterrupt), pipeline.resembling(path, encoder, picture(2), 1.0):
            raise KeyboardInterrupt
    assert_untouched(pipeline.denoiser, before)
    assert pipeline.transformer.attn_processors == processors
    assert torch.equal(painted(pipeline, patch=patch), first)


@pytest.mark.parametrize("change", ["lacking", "unknown", "narrow"])
def test_what_does_not_fit_is_named_and_changes_nothing(
    pipeline: FluxPipeline, encoder: ImageEncoderFile, tmp_path: Path, change: str
) -> None:
    path = write_flux_image_adapter(tmp_path / "ip.safetensors", pipeline.transformer, "plain")
    state = load_file(path)
    if change == "lacking":
        del state["ip_adapter.0.to_v_ip.bias"]
    elif change == "unknown":
        state["ip_adapter.7.to_v_ip.bias"] = torch.zeros(32)
    else:
        state["ip_adapter.0.to_k_ip.weight"] = torch.zeros(32, 12)
    save_file(state, path)
    processors = dict(pipeline.transformer.attn_processors)
    with (
        pytest.raises(PatchMismatch, match=r"ip\.safetensors does not fit this model"),
        pipeline.resembling(path, encoder, picture(), 1.0),
    ):
        pass
    assert pipeline.transformer.attn_processors == processors


def test_its_style_alone_cannot_be_told_apart(
    pipeline: FluxPipeline, encoder: ImageEncoderFile, tmp_path: Path
) -> None:
    path = write_flux_image_adapter(tmp_path / "ip.safetensors", pipeline.transformer)
    with (
        pytest.raises(BadRequest, match="not for its style alone"),
        pipeline.resembling(path, encoder, picture(), 1.0, "style"),
    ):
        pass
