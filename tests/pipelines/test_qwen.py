"""Qwen-Image and its Edit: the same numbers as diffusers' own pipelines, and what each can do."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus
from diffusers.pipelines.qwenimage.pipeline_qwenimage import QwenImagePipeline
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from PIL import Image as Pillow
from torch import Tensor, nn
from transformers import BatchFeature, Qwen2_5_VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from acetate.errors import BadRequest
from acetate.model_import.importing import import_any
from acetate.models.own_register import Own
from acetate.models.recognition_error import NotRecognised
from acetate.models.registry import model_named
from acetate.modes import run
from acetate.pipelines.loading import load_folder
from acetate.pipelines.qwen.pipeline import QwenPipeline
from acetate.pipelines.sampling import Interrupted, Step
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.types import Image, Recipe, Request, Role
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.support.tiny_qwen import write_tiny_qwen

SIDE = 64


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """Qwen-Image under False, its Edit under True."""
    root = tmp_path_factory.mktemp("qwen")
    return {edits: write_tiny_qwen(root / f"tiny-{edits}", edits=edits) for edits in (False, True)}


@pytest.fixture(scope="module")
def painter(folders: dict[bool, Path]) -> QwenPipeline:
    return opened(folders[False])


@pytest.fixture(scope="module")
def editor(folders: dict[bool, Path]) -> QwenPipeline:
    return opened(folders[True])


def opened(folder: Path) -> QwenPipeline:
    pipeline = load_folder(folder, "cpu")
    assert isinstance(pipeline, QwenPipeline)
    pipeline.limits = FrameLimits(32, 32, 512, 512 * 512)
    return pipeline


class Reading(nn.Module):
    """The published text encoder with the kinds of its tokens, which its library asks for today."""

    def __init__(self, folder: Path, mark: int) -> None:
        super().__init__()
        kind: Any = Qwen2_5_VLForConditionalGeneration
        self.whole = kind.from_pretrained(folder / "text_encoder").eval()
        self.mark = mark

    @property
    def dtype(self) -> torch.dtype:
        return self.whole.dtype

    @property
    def device(self) -> torch.device:
        return self.whole.device

    def forward(self, input_ids: Tensor, **others: Any) -> Any:
        kinds = (input_ids == self.mark).int()
        return self.whole(input_ids=input_ids, mm_token_type_ids=kinds, **others)


class Processor:
    """As Qwen2.5-VL's, whose own class wants a library for films."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.pictures = Qwen2VLImageProcessorPil(
            size={"shortest_edge": 56 * 56, "longest_edge": 12845056}
        )

    def __call__(self, text: Any, images: Any = None, **_: Any) -> BatchFeature:
        (words,) = text
        seen = self.pictures(images, return_tensors="pt") if images else {}
        for grid in seen.get("image_grid_thw", []):
            words = words.replace("<|image_pad|>", "<slot>" * (int(grid.prod()) // 4), 1)
        ids = torch.tensor([self.tokenizer(words.replace("<slot>", "<|image_pad|>"))["input_ids"]])
        return BatchFeature({"input_ids": ids, "attention_mask": torch.ones_like(ids), **seen})


def published(pipeline: QwenPipeline, folder: Path) -> Any:
    scheduler = FlowMatchEulerDiscreteScheduler.from_config(pipeline.scheduler_config)
    tokenizer: Any = pipeline.tokenizer
    text_encoder: Any = Reading(folder, tokenizer.convert_tokens_to_ids("<|image_pad|>"))
    parts: list[Any] = [scheduler, pipeline.vae, text_encoder, tokenizer]
    made: Any
    if pipeline.edits:
        kind: Any = pipeline_qwenimage_edit_plus.QwenImageEditPlusPipeline
        made = kind(*parts, Processor(tokenizer), pipeline.transformer)
    else:
        plain: Any = QwenImagePipeline
        made = plain(*parts, pipeline.transformer)
    made.set_progress_bar_config(disable=True)
    return made


@torch.inference_mode()
@pytest.mark.parametrize("guidance", [1.0, 4.0])
def test_the_picture_is_that_of_diffusers(
    painter: QwenPipeline, folders: dict[bool, Path], guidance: float
) -> None:
    noise = painter.draw_noise(96, SIDE, torch.Generator().manual_seed(3))
    theirs = published(painter, folders[False])(
        prompt="a red apple",
        negative_prompt="blur" if guidance > 1 else None,
        true_cfg_scale=guidance,
        width=96,
        height=SIDE,
        num_inference_steps=4,
        latents=noise.flatten(2).transpose(1, 2),
        output_type="pt",
    ).images
    told = painter.encode_prompt(["a red apple"], ["blur"])
    latent = painter.denoise(noise, told, steps=4, guidance=guidance)
    assert (painter.decode_image(latent) - theirs).abs().max() < 1e-4
    assert (painter.decode_image(noise) - theirs).abs().max() > 1e-2


@torch.inference_mode()
def test_two_pictures_are_seen_as_diffusers_shows_them(
    editor: QwenPipeline, folders: dict[bool, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that the denoiser is shown them at the size that they have.
    monkeypatch.setattr(pipeline_qwenimage_edit_plus, "VAE_IMAGE_SIZE", SIDE * SIDE)
    images = [picture((200, 30, 30), 255), picture((30, 30, 200), 255)]
    shown = [Pillow.frombytes("RGBA", (SIDE, SIDE), image.data).convert("RGB") for image in images]
    noise = editor.draw_noise(SIDE, SIDE, torch.Generator().manual_seed(3))
    theirs = published(editor, folders[True])(
        image=shown,
        prompt="put Picture 1 onto Picture 2",
        negative_prompt="blur",
        true_cfg_scale=4.0,
        width=SIDE,
        height=SIDE,
        num_inference_steps=3,
        latents=noise.flatten(2).transpose(1, 2),
        output_type="pt",
    ).images
    told = editor.encode_instruction(
        "put <image1> onto <image2>", "blur", [tensor(image) for image in images]
    )
    latent = editor.denoise(noise, told, steps=3, guidance=4.0)
    assert (editor.decode_image(latent) - theirs).abs().max() < 1e-4


def picture(colour: tuple[int, int, int], around: int = 0) -> Image:
    samples = np.zeros((SIDE, SIDE, 4), np.uint8)
    samples[...] = (10, 120, 20, around)
    samples[16:48, 16:48] = (*colour, 255)
    return Image(SIDE, SIDE, samples.tobytes())


def tensor(image: Image) -> Tensor:
    samples = np.frombuffer(image.data, np.uint8).reshape(1, image.height, image.width, 4)
    return torch.from_numpy(samples.astype(np.float32) / 255).permute(0, 3, 1, 2)


def request(mode: str, **changes: Any) -> Request:
    recipe = Recipe(mode, "a red apple", seed=7, steps=2, guidance=2.0, passes=1)
    recipe = replace(recipe, width=SIDE, height=SIDE, strength=0.6, **changes)
    images = {
        "text": {},
        "background": {"layer": picture((200, 30, 30))},
        "foreground": {"picture": picture((200, 30, 30), 255)},
        "fill": {"layer": picture((200, 30, 30), 255), "mask": picture((255, 255, 255), 255)},
    }[mode]
    return Request(recipe, images)


@pytest.mark.parametrize("pictures", [0, 1])
def test_a_prompt_with_the_mark_of_a_picture_shows_none(
    editor: QwenPipeline, pictures: int
) -> None:
    seen = [torch.rand(1, 4, SIDE, SIDE) for _ in range(pictures)]
    told = editor.encode_instruction("an eye <|image_pad|> of glass", "<|image_pad|>", seen)
    assert bool(told.positive.isfinite().all()) and len(told.references) == pictures


def test_edit_paints_what_lies_behind_a_layer_and_leaves_no_trace(editor: QwenPipeline) -> None:
    before = [snapshot(network) for network in editor.modules]
    steps: list[Step] = []
    layers = run(request("background"), editor, steps.append)
    assert [layer.role for layer in layers] == [Role.BACKGROUND]
    assert [(step.index, step.total) for step in steps] == [(1, 2), (2, 2)]
    assert steps[-1].preview().shape[1] == 4
    recipe = layers[0].recipe
    assert recipe is not None
    assert "transformer/diffusion_pytorch_model.safetensors" in recipe.files
    assert run(replace(request("background"), recipe=recipe), editor) == layers
    other = replace(request("background"), images={"layer": picture((30, 30, 200))})
    assert run(other, editor)[0].image != layers[0].image
    for network, once in zip(editor.modules, before, strict=True):
        assert_untouched(network, once)


@pytest.mark.parametrize("mode", ["text", "foreground"])
def test_what_needs_transparency_names_the_cure(editor: QwenPipeline, mode: str) -> None:
    with pytest.raises(BadRequest, match="knows no transparency by itself") as refused:
        run(request(mode), editor)
    assert "RGBA adapter" in refused.value.hint


@pytest.mark.parametrize("mode", ["background", "foreground"])
def test_one_that_paints_from_words_alone_says_so(painter: QwenPipeline, mode: str) -> None:
    with pytest.raises(BadRequest, match="paints from words alone and looks at no picture"):
        run(request(mode), painter)


def test_an_opaque_layer_is_filled(painter: QwenPipeline) -> None:
    layers = run(request("fill"), painter)
    assert set(layers[0].image.data[3::4]) == {255}


def test_it_stops_within_a_step(editor: QwenPipeline) -> None:
    def stop(step: Step) -> None:
        step.preview()
        raise Interrupted

    with pytest.raises(Interrupted):
        run(request("background"), editor, stop)


@pytest.fixture
def own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "own"))


@pytest.mark.usefixtures("own_models")
@pytest.mark.parametrize("edits", [False, True])
def test_a_folder_of_it_is_taken_over(folders: dict[bool, Path], edits: bool) -> None:
    own: Own = import_any(str(folders[edits]))
    assert (own.role, own.families, own.native) == ("base", ("qwen",), 1024)
    modes = model_named(own.name).modes
    assert modes == (("background", "fill") if edits else ("fill",))


@pytest.mark.usefixtures("own_models")
@pytest.mark.parametrize(
    ("part", "entry", "value", "words"),
    [
        ("transformer", '"zero_cond_t": false', '"use_layer3d_rope": true', "use_layer3d_rope"),
        ("text_encoder", '"vocab_size": 263', '"vocab_size": 99', "of another size than its"),
        ("scheduler", "FlowMatchEuler", "Euler", "not one of flow matching"),
        ("vae", '"input_channels": 3', '"input_channels": 4', "do not fit|not one of colour"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    folders: dict[bool, Path], tmp_path: Path, part: str, entry: str, value: str, words: str
) -> None:
    shutil.copytree(folders[False], tmp_path / "mixed")
    name = "scheduler_config.json" if part == "scheduler" else "config.json"
    config = tmp_path / "mixed" / part / name
    text = config.read_text()
    assert entry in text
    config.write_text(text.replace(entry, value))
    with pytest.raises(NotRecognised, match=words):
        import_any(str(tmp_path / "mixed"))
