"""FLUX.2 klein: the same numbers as diffusers' own pipeline, and every mode from end to end."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.pipelines.flux2.pipeline_flux2_klein import Flux2KleinPipeline
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from PIL import Image as Pillow
from torch import Tensor
from transformers import Qwen3ForCausalLM

from acetate.errors import BadRequest
from acetate.model_import.importing import import_any
from acetate.models.recognition_error import NotRecognised
from acetate.modes import run
from acetate.pipelines.flux2.pipeline import Flux2Pipeline
from acetate.pipelines.loading import load_folder
from acetate.pipelines.sampling import Interrupted, Step
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.types import Image, Recipe, Request, Role
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.support.tiny_flux2 import write_tiny_flux2

SIDE = 64
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
"""What the published template comes to for one message."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_flux2(tmp_path_factory.mktemp("flux2") / "tiny")


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> Flux2Pipeline:
    return opened(folder)


def opened(folder: Path) -> Flux2Pipeline:
    pipeline = load_folder(folder, "cpu")
    assert isinstance(pipeline, Flux2Pipeline)
    pipeline.limits = FrameLimits(32, 32, 512, 512 * 512)
    return pipeline


def published(pipeline: Flux2Pipeline, folder: Path) -> Any:
    text_encoder = Qwen3ForCausalLM.from_pretrained(folder / "text_encoder").eval()
    scheduler = FlowMatchEulerDiscreteScheduler.from_config(pipeline.scheduler_config)
    tokenizer: Any = pipeline.tokenizer
    tokenizer.chat_template = TEMPLATE
    made = Flux2KleinPipeline(
        scheduler,
        pipeline.vae,
        text_encoder,
        tokenizer,
        pipeline.transformer,
        is_distilled=pipeline.distilled,
    )
    made.set_progress_bar_config(disable=True)
    return made


def flat(latent: Tensor) -> Tensor:
    return latent.flatten(2).transpose(1, 2)


def picture(colour: tuple[int, int, int], around: int = 0) -> Image:
    samples = np.zeros((SIDE, SIDE, 4), np.uint8)
    samples[...] = (10, 120, 20, around)
    samples[16:48, 16:48] = (*colour, 255)
    return Image(SIDE, SIDE, samples.tobytes())


@torch.inference_mode()
@pytest.mark.parametrize(("distilled", "guidance"), [(True, 1.0), (False, 1.0), (False, 3.0)])
def test_the_picture_is_that_of_diffusers(tmp_path: Path, distilled: bool, guidance: float) -> None:
    folder = write_tiny_flux2(tmp_path / "tiny", distilled=distilled)
    pipeline = opened(folder)
    noise = pipeline.draw_noise(96, SIDE, torch.Generator().manual_seed(3))
    theirs = published(pipeline, folder)(
        prompt="a red apple",
        guidance_scale=guidance,
        width=96,
        height=SIDE,
        num_inference_steps=4,
        latents=noise,
        output_type="pt",
    ).images
    told = pipeline.encode_prompt(["a red apple"], [""])
    latent = pipeline.denoise(noise, told, steps=4, guidance=guidance)
    assert (pipeline.decode_image(latent) - theirs).abs().max() < 1e-4
    assert (pipeline.decode_image(noise) - theirs).abs().max() > 1e-2


@torch.inference_mode()
def test_two_references_are_seen_as_diffusers_shows_them(
    pipeline: Flux2Pipeline, folder: Path
) -> None:
    images = [picture((200, 30, 30), 255), picture((30, 30, 200), 255)]
    noise = pipeline.draw_noise(SIDE, SIDE, torch.Generator().manual_seed(3))
    shown = [Pillow.frombytes("RGBA", (SIDE, SIDE), image.data).convert("RGB") for image in images]
    made = published(pipeline, folder)
    # Its check of sizes asks for larger pictures than tiny ones.
    made.image_processor.check_image_input = lambda image: None
    theirs = made(
        image=shown,
        prompt="put image 1 onto image 2",
        width=SIDE,
        height=SIDE,
        num_inference_steps=3,
        latents=noise,
        output_type="pt",
    ).images
    given = [
        torch.frombuffer(bytearray(image.data), dtype=torch.uint8)
        .reshape(1, SIDE, SIDE, 4)
        .permute(0, 3, 1, 2)
        .float()
        / 255
        for image in images
    ]
    told = pipeline.encode_instruction("put <image1> onto <image2>", "", given)
    latent = pipeline.denoise(noise, told, steps=3, guidance=1.0)
    assert (pipeline.decode_image(latent) - theirs).abs().max() < 1e-4


def request(mode: str, **changes: Any) -> Request:
    recipe = Recipe(mode, "a red apple", seed=7, steps=2, guidance=1.0, passes=1)
    recipe = replace(recipe, width=SIDE, height=SIDE, strength=0.6, **changes)
    images = {
        "text": {},
        "background": {"layer": picture((200, 30, 30))},
        "foreground": {"picture": picture((200, 30, 30), 255)},
        "fill": {"layer": picture((200, 30, 30), 255), "mask": picture((255, 255, 255), 255)},
    }[mode]
    return Request(recipe, images)


def test_it_paints_what_lies_behind_a_layer_and_leaves_no_trace(pipeline: Flux2Pipeline) -> None:
    before = [snapshot(network) for network in pipeline.modules]
    steps: list[Step] = []
    layers = run(request("background"), pipeline, steps.append)
    assert [layer.role for layer in layers] == [Role.BACKGROUND]
    assert [(step.index, step.total) for step in steps] == [(1, 2), (2, 2)]
    seen = steps[-1].preview()
    assert seen.shape[:2] == (1, 4) and SIDE // 16 <= seen.shape[-1] <= SIDE
    recipe = layers[0].recipe
    assert recipe is not None
    assert "transformer/diffusion_pytorch_model.safetensors" in recipe.files
    assert run(replace(request("background"), recipe=recipe), pipeline) == layers
    other = replace(request("background"), images={"layer": picture((30, 30, 200))})
    assert run(other, pipeline)[0].image != layers[0].image
    for network, once in zip(pipeline.modules, before, strict=True):
        assert_untouched(network, once)


@pytest.mark.parametrize("mode", ["text", "foreground"])
def test_what_needs_transparency_names_the_cure(pipeline: Flux2Pipeline, mode: str) -> None:
    with pytest.raises(BadRequest, match="knows no transparency by itself") as refused:
        run(request(mode), pipeline)
    assert "RGBA adapter" in refused.value.hint


def test_an_opaque_layer_is_filled(pipeline: Flux2Pipeline) -> None:
    layers = run(request("fill"), pipeline)
    assert set(layers[0].image.data[3::4]) == {255}


def test_it_stops_within_a_step(pipeline: Flux2Pipeline) -> None:
    def stop(step: Step) -> None:
        step.preview()
        raise Interrupted

    with pytest.raises(Interrupted):
        run(request("background"), pipeline, stop)


def test_a_distilled_one_is_not_told_what_to_avoid(pipeline: Flux2Pipeline) -> None:
    with pytest.raises(BadRequest, match="cannot be told what to avoid"):
        run(request("background", negative_prompt="blur"), pipeline)


@pytest.fixture
def own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "own"))


@pytest.mark.usefixtures("own_models")
def test_a_folder_of_it_is_taken_over(folder: Path) -> None:
    own = import_any(str(folder))
    assert (own.role, own.families, own.native) == ("base", ("flux2",), 1024)


@pytest.mark.usefixtures("own_models")
def test_parts_that_do_not_fit_are_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "mixed")
    config = tmp_path / "mixed" / "text_encoder" / "config.json"
    config.write_text(config.read_text().replace("Qwen3ForCausalLM", "Mistral3Model"))
    with pytest.raises(NotRecognised, match="klein models only"):
        import_any(str(tmp_path / "mixed"))
