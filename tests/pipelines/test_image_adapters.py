"""A reference picture by IP-Adapter: as diffusers paints with it, beside patches, and undone."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import (
    StableDiffusionPipeline as TheirSd15,
)
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import (
    StableDiffusionXLPipeline as TheirSdxl,
)
from PIL import Image as PilImage
from torch import Tensor
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from acetate.adapters import PatchMismatch
from acetate.adapters.reference_aspects import shares_of
from acetate.errors import BadRequest
from acetate.models.families import FAMILIES
from acetate.models.files import read_config
from acetate.models.image_adapters import ImageEncoderFile
from acetate.pipelines.loading import load_folder
from acetate.pipelines.stable_diffusion import StableDiffusionPipeline
from acetate_bridge.protocol.types import Aspect
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl
from tests.support.tiny_image_adapters import IMAGE_SIDE, write_image_adapter, write_image_encoder

pytestmark = [
    pytest.mark.matrix,
    # Written for a tiny base.
    pytest.mark.filterwarnings("ignore:The configuration file of this scheduler:FutureWarning"),
]
WRITERS = {"sd15": write_tiny_sd15, "sdxl": write_tiny_sdxl}
SIDE, STEPS, GUIDANCE = 128, 3, 5.0


@pytest.fixture(scope="module", params=list(WRITERS))
def pipeline(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> StableDiffusionPipeline:
    loaded = load_folder(WRITERS[request.param](tmp_path_factory.mktemp("base") / "base"), "cpu")
    assert isinstance(loaded, StableDiffusionPipeline)
    return loaded


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_encoder(tmp_path_factory.mktemp("encoder") / "image_encoder")


@pytest.fixture
def encoder(folder: Path) -> ImageEncoderFile:
    told = read_config(folder / "config.json")
    return ImageEncoderFile(folder / "model.safetensors", told)


def picture(seed: int = 1) -> Tensor:
    """An opaque picture of noise, in the steps of 8 bits."""
    drawn = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    rgb = torch.from_numpy(drawn).permute(2, 0, 1)[None].float() / 255
    return torch.cat([rgb, torch.ones(1, 1, SIDE, SIDE)], dim=1)


def noise() -> Tensor:
    return torch.randn(1, 4, SIDE // 8, SIDE // 8, generator=torch.Generator().manual_seed(9))


def painted(pipeline: StableDiffusionPipeline, **settings: Any) -> Tensor:
    prompt = pipeline.encode_prompt(["a lantern"], ["blurred"])
    with torch.inference_mode():
        return pipeline.denoise(
            noise(), prompt, steps=STEPS, guidance=GUIDANCE, scheduler="euler", **settings
        )


def by_diffusers(
    pipeline: StableDiffusionPipeline, adapters: list[tuple[Path, Tensor, Any]], folder: Path
) -> Tensor:
    """The same with diffusers' own pipeline and its own loader, on a copy of the denoiser."""
    prompt = pipeline.encode_prompt(["a lantern"], ["blurred"])
    parts: dict[str, Any] = {
        "vae": pipeline.vae,
        "text_encoder": pipeline.text_encoders[0],
        "tokenizer": pipeline.tokenizers[0],
        "unet": copy.deepcopy(pipeline.unet),
        "scheduler": pipeline.make_scheduler("euler"),
    }
    words: dict[str, Any] = {
        "prompt_embeds": prompt.positive.clone(),
        "negative_prompt_embeds": prompt.negative.clone(),
    }
    if pipeline.family == "sdxl":
        assert prompt.pooled_positive is not None and prompt.pooled_negative is not None
        parts |= {
            "text_encoder_2": pipeline.text_encoders[1],
            "tokenizer_2": pipeline.tokenizers[1],
            "add_watermarker": False,
        }
        words |= {
            "pooled_prompt_embeds": prompt.pooled_positive.clone(),
            "negative_pooled_prompt_embeds": prompt.pooled_negative.clone(),
        }
        make: Any = TheirSdxl
    else:
        parts |= {"safety_checker": None, "requires_safety_checker": False}
        make = TheirSd15
    from transformers.models.clip.modeling_clip import CLIPVisionModelWithProjection

    size = {"height": IMAGE_SIDE, "width": IMAGE_SIDE}
    theirs: Any = make(
        **parts,
        image_encoder=CLIPVisionModelWithProjection.from_pretrained(folder),
        feature_extractor=CLIPImageProcessorPil(size={"shortest_edge": IMAGE_SIDE}, crop_size=size),
    )
    theirs.load_ip_adapter(
        [str(path.parent) for path, _, _ in adapters],
        subfolder="",
        weight_name=[path.name for path, _, _ in adapters],
        low_cpu_mem_usage=False,
    )
    theirs.set_ip_adapter_scale([strength for _, _, strength in adapters])
    theirs.set_progress_bar_config(disable=True)
    shown = [
        PilImage.fromarray((each[0, :3].permute(1, 2, 0) * 255).round().byte().numpy())
        for _, each, _ in adapters
    ]
    return theirs(
        **words,
        latents=noise(),
        num_inference_steps=STEPS,
        guidance_scale=GUIDANCE,
        height=SIDE,
        width=SIDE,
        ip_adapter_image=shown,
        output_type="latent",
    ).images


def difference(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max() / other.abs().max())


@pytest.mark.parametrize("kind", ["plain", "plus"])
def test_a_reference_is_gone_by_as_diffusers_does(
    pipeline: StableDiffusionPipeline,
    kind: str,
    folder: Path,
    encoder: ImageEncoderFile,
    tmp_path: Path,
) -> None:
    path = write_image_adapter(tmp_path / "ip.safetensors", pipeline.unet, kind)
    without = painted(pipeline)
    with pipeline.resembling(path, encoder, picture(), 0.7):
        ours = painted(pipeline)
    theirs = by_diffusers(pipeline, [(path, picture(), 0.7)], folder)
    assert difference(ours, theirs) <= 1e-4
    assert difference(without, theirs) > 1e-2


OFFICIAL: dict[str, dict[Aspect, dict[str, Any]]] = {
    "sdxl": {
        "style": {"up": {"block_0": [0.0, 0.8, 0.0]}},
        "composition": {"down": {"block_2": [0.0, 0.8]}},
    },
    "sd15": {
        "style": {
            "down": {"block_0": [0.8, 0.8], "block_1": [0.8, 0.8]},
            "mid": 0.8,
            "up": {"block_2": [0.8, 0.8, 0.8], "block_3": [0.8, 0.8, 0.8]},
        },
        "composition": {"down": {"block_2": [0.2, 0.8]}},
    },
}
"""Scales of single blocks as diffusers takes them, at a strength of 0.8."""


@pytest.mark.parametrize("aspect", ["style", "composition"])
def test_one_aspect_of_a_reference_is_seen_by_the_published_blocks_alone(
    pipeline: StableDiffusionPipeline,
    aspect: Aspect,
    folder: Path,
    encoder: ImageEncoderFile,
    tmp_path: Path,
) -> None:
    path = write_image_adapter(tmp_path / "ip.safetensors", pipeline.unet)
    before = snapshot(pipeline.denoiser)
    with pipeline.resembling(path, encoder, picture(), 0.8):
        whole = painted(pipeline)
    with pipeline.resembling(path, encoder, picture(), 0.8, aspect):
        ours = painted(pipeline)
    assert_untouched(pipeline.denoiser, before)
    scales = OFFICIAL[pipeline.family][aspect]
    assert difference(ours, by_diffusers(pipeline, [(path, picture(), scales)], folder)) <= 1e-4
    assert difference(ours, whole) > 1e-2
    assert difference(ours, painted(pipeline)) > 1e-3


def test_the_families_that_tell_aspects_apart_say_so() -> None:
    for name, family in FAMILIES.items():
        for aspect in ("style", "composition"):
            if family.aspects:
                assert shares_of(aspect, name)
            else:
                with pytest.raises(BadRequest, match=f"not for its {aspect} alone"):
                    shares_of(aspect, name)


def test_style_of_one_and_composition_of_another(
    pipeline: StableDiffusionPipeline, folder: Path, encoder: ImageEncoderFile, tmp_path: Path
) -> None:
    path = write_image_adapter(tmp_path / "ip.safetensors", pipeline.unet)
    plus = write_image_adapter(tmp_path / "plus.safetensors", pipeline.unet, "plus")
    with (
        pipeline.resembling(path, encoder, picture(1), 0.8, "style"),
        pipeline.resembling(plus, encoder, picture(2), 0.8, "composition"),
    ):
        ours = painted(pipeline)
    official = OFFICIAL[pipeline.family]
    wanted = [
        (path, picture(1), official["style"]),
        (plus, picture(2), official["composition"]),
    ]
    assert difference(ours, by_diffusers(pipeline, wanted, folder)) <= 1e-4


def test_two_references_each_with_their_strength(
    pipeline: StableDiffusionPipeline, folder: Path, encoder: ImageEncoderFile, tmp_path: Path
) -> None:
    plain = write_image_adapter(tmp_path / "plain.safetensors", pipeline.unet)
    plus = write_image_adapter(tmp_path / "plus.safetensors", pipeline.unet, "plus")
    wanted = [(plain, picture(1), 0.5), (plus, picture(2), 1.2)]
    with ExitStack() as stack:
        for path, shown, strength in wanted:
            stack.enter_context(pipeline.resembling(path, encoder, shown, strength))
        ours = painted(pipeline)
    assert difference(ours, by_diffusers(pipeline, wanted, folder)) <= 1e-4


def test_afterwards_the_denoiser_is_what_it_was_to_the_last_byte(
    pipeline: StableDiffusionPipeline, encoder: ImageEncoderFile, tmp_path: Path
) -> None:
    path = write_image_adapter(tmp_path / "ip.safetensors", pipeline.unet)
    before, first = snapshot(pipeline.denoiser), painted(pipeline)
    with pipeline.resembling(path, encoder, picture(), 1.0):
        painted(pipeline)
        with pytest.raises(KeyboardInterrupt), pipeline.resembling(path, encoder, picture(2), 1.0):
            raise KeyboardInterrupt
    assert_untouched(pipeline.denoiser, before)
    assert torch.equal(painted(pipeline), first)


def test_a_strength_of_nothing_paints_as_without(
    pipeline: StableDiffusionPipeline, encoder: ImageEncoderFile, tmp_path: Path
) -> None:
    path = write_image_adapter(tmp_path / "ip.safetensors", pipeline.unet)
    with pipeline.resembling(path, encoder, picture(), 0.0):
        shown = painted(pipeline)
    assert torch.equal(shown, painted(pipeline))


def test_transparency_and_reference_live_side_by_side(
    pipeline: StableDiffusionPipeline, encoder: ImageEncoderFile, tmp_path: Path
) -> None:
    path = write_image_adapter(tmp_path / "ip.safetensors", pipeline.unet)
    before, patch = snapshot(pipeline.denoiser), pipeline.patch_for("text")
    transparent = painted(pipeline, patch=patch)
    left_early = painted(pipeline, patch=patch, stop_at=0.5)
    with pipeline.resembling(path, encoder, picture(), 0.8):
        opaque, both = painted(pipeline), painted(pipeline, patch=patch)
        handed_over = painted(pipeline, patch=patch, stop_at=0.5)
    assert difference(both, transparent) > 1e-2
    assert difference(both, opaque) > 1e-2
    assert difference(handed_over, left_early) > 1e-2
    with pipeline.resembling(path, encoder, picture(), 0.0):
        assert torch.equal(painted(pipeline, patch=patch), transparent)
    assert_untouched(pipeline.denoiser, before)


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "foreign.safetensors"


def test_what_does_not_fit_is_named_and_changes_nothing(
    pipeline: StableDiffusionPipeline, encoder: ImageEncoderFile, foreign: Path
) -> None:
    from safetensors.torch import load_file, save_file

    write_image_adapter(foreign, pipeline.unet)
    state = load_file(foreign)
    last = max(name for name in state if name.startswith("ip_adapter."))
    save_file({name: tensor for name, tensor in state.items() if name != last}, foreign)
    before = dict(pipeline.unet.attn_processors)
    with (
        pytest.raises(PatchMismatch, match=r"foreign\.safetensors does not fit this model"),
        pipeline.resembling(foreign, encoder, picture(), 1.0),
    ):
        pass
    assert pipeline.unet.attn_processors == before
