"""Qwen-Image-2.1: the same numbers as diffusers' own pipeline, and every mode from end to end."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.pipelines.qwenimage21.pipeline_qwenimage21 import QwenImage21Pipeline
from PIL import Image as Pillow
from torch import Tensor
from transformers import BatchFeature
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from acetate.errors import BadRequest
from acetate.model_import.importing import import_any
from acetate.models.families import FAMILIES
from acetate.models.recognition_error import NotRecognised
from acetate.models.rgba_adapter import alpha_words
from acetate.modes import mode_named, run
from acetate.pipelines.loading import load_folder, load_pipeline
from acetate.pipelines.qwen21.pipeline import Qwen21Pipeline
from acetate.pipelines.qwen21.prompts import read
from acetate.pipelines.sampling import Interrupted, Step
from acetate.pipelines.transparency import unmultiplied
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.types import Image, Recipe, Request, Role
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.support.tiny_qwen21 import write_tiny_qwen21

SIDE = 64
ROLES = {
    "background": [Role.BACKGROUND],
    "foreground": [Role.FOREGROUND, Role.BLENDED],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_qwen21(tmp_path_factory.mktemp("qwen21") / "tiny")


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> Qwen21Pipeline:
    pipeline = load_folder(folder, "cpu")
    assert isinstance(pipeline, Qwen21Pipeline)
    pipeline.limits = FrameLimits(32, 32, 512, 512 * 512)
    return pipeline


class Processor:
    """As Qwen3-VL's, whose own class wants a library for films; pictures keep their size."""

    def __init__(self, pipeline: Qwen21Pipeline) -> None:
        self.tokenizer = pipeline.tokenizer
        self.pictures = Qwen2VLImageProcessorPil(
            patch_size=16,
            image_mean=[0.5] * 3,
            image_std=[0.5] * 3,
            size={"shortest_edge": 32 * 32, "longest_edge": 16777216},
        )

    def apply_chat_template(self, messages: Any, **_: Any) -> Any:
        (message,) = messages
        text = f"<|im_start|>system\n{message['content'][0]['text']}<|im_end|>\n"
        return [self.tokenizer(text)["input_ids"]]

    def __call__(self, text: Any, images: Any = None, **_: Any) -> BatchFeature:
        (text,) = text
        seen = self.pictures(images, return_tensors="pt") if images else {}
        for grid in seen.get("image_grid_thw", []):
            text = text.replace("<|image_pad|>", "<slot>" * (int(grid.prod()) // 4), 1)
        ids = torch.tensor([self.tokenizer(text.replace("<slot>", "<|image_pad|>"))["input_ids"]])
        kinds = (ids == self.tokenizer.convert_tokens_to_ids("<|image_pad|>")).int()
        rows = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        return BatchFeature({**rows, "mm_token_type_ids": kinds, **seen})


def published(pipeline: Qwen21Pipeline, folder: Path) -> Any:
    from transformers import Qwen3VLForConditionalGeneration

    text_encoder = Qwen3VLForConditionalGeneration.from_pretrained(folder / "text_encoder")
    processor: Any = Processor(pipeline)
    scheduler = type(pipeline.make_scheduler("")).__mro__[2].from_config(pipeline.scheduler_config)
    made = QwenImage21Pipeline(
        scheduler, pipeline.vae, text_encoder.eval(), processor, pipeline.transformer
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


def tensor(image: Image) -> Tensor:
    samples = np.frombuffer(image.data, np.uint8).reshape(1, image.height, image.width, 4)
    return torch.from_numpy(samples.astype(np.float32) / 255).permute(0, 3, 1, 2)


@torch.inference_mode()
@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_the_latents_are_those_of_diffusers(
    pipeline: Qwen21Pipeline, folder: Path, cached: bool, guidance: float
) -> None:
    noise = pipeline.draw_noise(96, SIDE, torch.Generator().manual_seed(3))
    theirs = published(pipeline, folder)(
        "a red apple",
        negative_prompt="blur" if guidance > 1 else None,
        true_cfg_scale=guidance,
        width=96,
        height=SIDE,
        num_inference_steps=4,
        latents=flat(noise),
        output_type="latent",
        use_kv_cache=cached,
    ).images
    ours = pipeline.denoise(
        noise,
        pipeline.encode_prompt(["a red apple"], ["blur"]),
        steps=4,
        guidance=guidance,
        scheduler="euler_cached" if cached else "euler",
    )
    assert (flat(ours) - theirs).abs().max() < 1e-4


@torch.inference_mode()
def test_two_references_are_seen_as_diffusers_shows_them(
    pipeline: Qwen21Pipeline, folder: Path
) -> None:
    images = [picture((200, 30, 30)), picture((30, 30, 200), around=255)]
    noise = pipeline.draw_noise(SIDE, SIDE, torch.Generator().manual_seed(3))
    shown = [Pillow.frombytes("RGBA", (SIDE, SIDE), image.data) for image in images]
    theirs = published(pipeline, folder)(
        "put <image1> onto <image2>",
        image=shown,
        num_inference_steps=3,
        latents=flat(noise),
        output_resolution=SIDE,
        output_type="np",
    ).images
    told = pipeline.encode_instruction("put <image1> onto <image2>", "", list(map(tensor, images)))
    latent = pipeline.denoise(noise, told, steps=3, guidance=1.0)
    ours = pipeline.decode_layer(latent, 1).permute(0, 2, 3, 1)
    assert np.abs(ours.numpy() - theirs).max() < 1e-4
    assert (pipeline.decode_layer(noise, 1) - ours.permute(0, 3, 1, 2)).abs().max() > 1e-2


def test_patches_are_those_of_the_published_image_processor(pipeline: Qwen21Pipeline) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (96, 64, 3), np.uint8)
    theirs = Processor(pipeline).pictures([Pillow.fromarray(colours)], return_tensors="pt")
    rgb = torch.from_numpy(colours.astype(np.float32) / 255).permute(2, 0, 1)[None]
    reading = read("", [torch.cat([rgb, torch.ones_like(rgb[:, :1])], dim=1)])
    assert reading.patches is not None and reading.grids is not None
    assert (reading.patches - theirs["pixel_values"]).abs().max() < 1e-5
    assert reading.grids.tolist() == theirs["image_grid_thw"].tolist()


@pytest.mark.parametrize("pictures", [0, 1])
def test_a_prompt_with_the_mark_of_a_picture_shows_none(
    pipeline: Qwen21Pipeline, pictures: int
) -> None:
    seen = [torch.rand(1, 4, SIDE, SIDE) for _ in range(pictures)]
    told = pipeline.encode_instruction("an eye <|image_pad|> of glass", "<|image_pad|>", seen)
    slots = SIDE // 32 * (SIDE // 32)
    assert told.slots is not None and int(told.slots.sum()) == pictures * slots


@torch.inference_mode()
def test_the_text_encoder_is_left_as_it_was(pipeline: Qwen21Pipeline) -> None:
    before = snapshot(pipeline.text_encoder)
    pipeline.encode_prompt(["a red apple"], [""])
    assert not pipeline.text_encoder.language_model.norm._forward_hooks
    assert_untouched(pipeline.text_encoder, before)


def test_a_distilled_model_brings_its_noise_levels(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "turbo")
    index = tmp_path / "turbo" / "model_index.json"
    levels = [1.0, 0.8, 0.3]
    index.write_text(json.dumps({"_class_name": "QwenImage21Pipeline", "sample_sigmas": levels}))
    pipeline = load_folder(tmp_path / "turbo", "cpu")
    scheduler = pipeline.make_scheduler("")
    scheduler.fit(torch.zeros(1, 8, 16, 16))
    assert [scheduler.levels(3), scheduler.levels(4)] == [levels, [1.0, 0.75, 0.5, 0.25]]


def request(mode: str, **changes: Any) -> Request:
    recipe = Recipe(mode, "a red apple", seed=7, steps=2, guidance=1.0, passes=1)
    recipe = replace(recipe, width=SIDE, height=SIDE, strength=0.6, **changes)
    around = {"layer": 0, "picture": 255, "mask": 255}
    images = {
        wanted.name: picture((200, 30, 30), around[wanted.name])
        for wanted in mode_named(mode).info.inputs
        if wanted.required
    }
    if mode == "extract":
        images["background"] = picture((20, 30, 200), 255)
    return Request(recipe, images)


MODES = FAMILIES["qwen21"].modes


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_gives_its_layers_and_leaves_no_trace(pipeline: Qwen21Pipeline, mode: str) -> None:
    before = [snapshot(network) for network in pipeline.modules]
    steps: list[Step] = []
    layers = run(request(mode), pipeline, steps.append)
    assert [layer.role for layer in layers] == ROLES.get(mode, [Role.FOREGROUND])
    assert all((layer.image.width, layer.image.height) == (SIDE, SIDE) for layer in layers)
    assert [(step.index, step.total) for step in steps] == [(1, 2), (2, 2)]
    seen = steps[-1].preview()
    assert seen.shape[:2] == (1, 4) and SIDE // 16 <= seen.shape[-1] <= SIDE
    recipe = layers[0].recipe
    assert recipe is not None and recipe.scheduler == "euler_cached"
    assert "transformer/diffusion_pytorch_model.safetensors" in recipe.files
    assert run(replace(request(mode), recipe=recipe), pipeline) == layers
    for network, once in zip(pipeline.modules, before, strict=True):
        assert_untouched(network, once)


@pytest.mark.parametrize("mode", ["background", "foreground", "refine"])
def test_what_is_shown_changes_the_picture(pipeline: Qwen21Pipeline, mode: str) -> None:
    asked = request(mode, seed=3)
    asked = replace(asked, recipe=replace(asked.recipe, strength=1.0))
    (name,) = asked.images
    other = replace(asked, images={name: picture((30, 30, 200), 255)})
    assert run(asked, pipeline)[0].image != run(other, pipeline)[0].image


def test_transparency_is_asked_for_in_the_authors_words(
    pipeline: Qwen21Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    embed = pipeline._embed
    monkeypatch.setattr(pipeline, "_embed", lambda read: (heard.append(read.text), embed(read))[1])
    for mode in ("text", "foreground", "background"):
        run(request(mode), pipeline)
    framed = ["This is an RGBA image with transparency." in text for text in heard[::2]]
    assert framed == [True, True, False]
    assert "a red apple. The image has alpha channel and the background is transparent." in heard[0]


def test_it_stops_within_a_step(pipeline: Qwen21Pipeline) -> None:
    before = snapshot(pipeline.denoiser)

    def stop(step: Step) -> None:
        step.preview()
        raise Interrupted

    with pytest.raises(Interrupted):
        run(request("foreground"), pipeline, stop)
    assert_untouched(pipeline.denoiser, before)


def test_more_pictures_than_it_looks_at_are_refused(pipeline: Qwen21Pipeline) -> None:
    with pytest.raises(BadRequest, match="10 pictures"):
        pipeline.encode_instruction("all", "", [torch.zeros(1, 4, 32, 32)] * 11)


def test_a_base_measured_as_premultiplied_gives_straight_layers(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path))
    monkeypatch.setattr(
        "acetate.pipelines.qwen21.loader.alpha_of_frames", lambda vae: "premultiplied"
    )
    own = import_any(str(folder))
    assert alpha_words(own.facts).startswith("premultiplied, measured")
    measured = load_pipeline(own.name, "cpu")
    plain = load_folder(folder, "cpu")
    latent = plain.draw_noise(SIDE, SIDE, torch.Generator().manual_seed(3))
    assert torch.equal(
        measured.decode_layer(latent, 1), unmultiplied(plain.decode_layer(latent, 1))
    )
    rgba = torch.rand(1, 4, SIDE, SIDE)
    multiplied = torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], dim=1)
    assert torch.equal(measured.encode_layer(rgba), plain.encode_layer(multiplied))


@pytest.mark.parametrize(
    ("part", "entry", "value", "words"),
    [
        ("vae", "in_channels", 3, "its tensor encoder.conv_in.weight"),
        ("transformer", "context_in_dim", 16, "its tensor txt_in"),
        ("scheduler", "_class_name", "DDIMScheduler", "flow matching"),
        ("text_encoder", "image_token_id", 3, "mark for a picture"),
    ],
)
def test_parts_that_do_not_fit_are_named_at_import(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    part: str,
    entry: str,
    value: Any,
    words: str,
) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "shelf"))
    shutil.copytree(folder, tmp_path / "odd")
    name = "scheduler_config.json" if part == "scheduler" else "config.json"
    path = tmp_path / "odd" / part / name
    path.write_text(json.dumps(json.loads(path.read_text()) | {entry: value}))
    with pytest.raises(NotRecognised, match=words):
        import_any(str(tmp_path / "odd"))
