"""diffusers' own pipeline out of the networks of a loaded model, to be timed beside it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from diffusers.pipelines.flux.pipeline_flux import FluxPipeline
from diffusers.pipelines.flux2.pipeline_flux2_klein import Flux2KleinPipeline
from diffusers.pipelines.qwenimage21.pipeline_qwenimage21 import QwenImage21Pipeline
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import (
    StableDiffusionXLPipeline,
)
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)

from acetate.pipelines.qwen21.denoising import SeenPrompt

Paint = Callable[[int, int], object]
"""Paints one opaque picture in so many steps, so large."""

PROMPT = "a paper lantern"


def plain_painter(pipeline: Any) -> Paint | None:
    """How diffusers paints with the same parts; None where it has no pipeline for them."""
    makers: dict[str, Callable[[Any], Paint]] = {
        "sd15": _stable_diffusion,
        "sdxl": _stable_diffusion,
        "flux": _flux,
        "flux2": _flux2,
        "qwen21": _qwen21,
    }
    return makers[pipeline.family](pipeline) if pipeline.family in makers else None


def _stable_diffusion(pipeline: Any) -> Paint:
    scheduler = DPMSolverMultistepScheduler.from_config(
        pipeline.scheduler_config, use_karras_sigmas=True, steps_offset=1
    )
    tokenizers = [copy.deepcopy(tokenizer) for tokenizer in pipeline.tokenizers]
    for tokenizer in tokenizers:
        tokenizer.model_max_length = 77
    parts: dict[str, Any] = {"vae": pipeline.vae, "unet": pipeline.unet, "scheduler": scheduler}
    for ending, tokenizer, encoder in zip(
        ("", "_2"), tokenizers, pipeline.text_encoders, strict=False
    ):
        parts |= {f"tokenizer{ending}": tokenizer, f"text_encoder{ending}": encoder}
    if pipeline.family == "sdxl":
        made: Any = StableDiffusionXLPipeline(**parts, add_watermarker=False)
    else:
        made = StableDiffusionPipeline(
            **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False
        )  # type: ignore[arg-type]
    made.set_progress_bar_config(disable=True)

    def paint(steps: int, side: int) -> object:
        return made(
            PROMPT, width=side, height=side, num_inference_steps=steps, guidance_scale=7.0,
            generator=torch.Generator().manual_seed(1), output_type="np",
        )  # fmt: skip

    return paint


def _flux(pipeline: Any) -> Paint:
    nothing: dict[str, Any] = dict.fromkeys(
        ("text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2")
    )
    made: Any = FluxPipeline(
        _flow(pipeline), pipeline.vae, transformer=pipeline.transformer, **nothing
    )

    def paint(steps: int, side: int) -> object:
        prompt = pipeline.encode_prompt([PROMPT], [""])
        words = {
            "prompt_embeds": prompt.positive,
            "pooled_prompt_embeds": prompt.pooled_positive,
        }
        return _painted(made, steps, side, words, guidance_scale=3.5)

    return paint


def _flux2(pipeline: Any) -> Paint:
    made: Any = Flux2KleinPipeline(
        _flow(pipeline),
        pipeline.vae,
        pipeline.text_encoder,
        pipeline.tokenizer,
        pipeline.transformer,
        is_distilled=pipeline.distilled,
    )

    def paint(steps: int, side: int) -> object:
        words = {"prompt_embeds": pipeline.encode_prompt([PROMPT], [""]).positive}
        return _painted(made, steps, side, words, guidance_scale=1.0)

    return paint


class _Processor:
    """As much of Qwen3-VL's as is asked for where prompts come embedded."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    def apply_chat_template(self, messages: Any, **_: Any) -> Any:
        (message,) = messages
        text = f"<|im_start|>system\n{message['content'][0]['text']}<|im_end|>\n"
        return [self.tokenizer(text)["input_ids"]]


def _qwen21(pipeline: Any) -> Paint:
    processor: Any = _Processor(pipeline.tokenizer)
    made: Any = QwenImage21Pipeline(
        _flow(pipeline), pipeline.vae, pipeline.text_encoder, processor, pipeline.transformer
    )

    def paint(steps: int, side: int) -> object:
        prompt = pipeline.encode_prompt([PROMPT], [""])
        assert isinstance(prompt, SeenPrompt)
        return _painted(made, steps, side, {"prompt_embeds": prompt.positive}, true_cfg_scale=1.0)

    return paint


def _flow(pipeline: Any) -> FlowMatchEulerDiscreteScheduler:
    made: Any = FlowMatchEulerDiscreteScheduler.from_config(pipeline.scheduler_config)
    return made


def _painted(made: Any, steps: int, side: int, words: dict[str, Any], **more: Any) -> object:
    made.set_progress_bar_config(disable=True)
    return made(
        width=side,
        height=side,
        num_inference_steps=steps,
        generator=torch.Generator().manual_seed(1),
        output_type="np",
        **words,
        **more,
    )
