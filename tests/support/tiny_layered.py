"""Qwen-Image-Layered, tiny and random, in the folder layout of diffusers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl_qwenimage import AutoencoderKLQwenImage
from diffusers.models.transformers.transformer_qwenimage import QwenImageTransformer2DModel
from diffusers.pipelines.qwenimage import pipeline_qwenimage_layered
from diffusers.pipelines.qwenimage.pipeline_qwenimage_layered import calculate_dimensions
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from tokenizers.pre_tokenizers import ByteLevel
from transformers import Qwen2Tokenizer

from acetate.pipelines.qwen_layered import pipeline
from tests.support.tiny_reader import tiny_reader

CHANNELS = 16


def paint_small(patch: pytest.MonkeyPatch, side: int = 160) -> None:
    """For what does not depend on the size: pictures of side² where the published area is 640²."""

    def small(area: int, ratio: float) -> tuple[int, int, None]:
        return calculate_dimensions(side**2, ratio)

    for module in (pipeline_qwenimage_layered, pipeline):
        patch.setattr(module, "calculate_dimensions", small)


def write_tiny_layered(folder: Path, blocks: int = 1) -> Path:
    """Its pictures have four channels; its latents must not, or diffusers takes one for another."""
    torch.manual_seed(0)
    vae = AutoencoderKLQwenImage(
        base_dim=8,
        z_dim=CHANNELS,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        input_channels=4,
        latents_mean=[0.0] * CHANNELS,
        latents_std=[1.0] * CHANNELS,
    )
    transformer = QwenImageTransformer2DModel(
        in_channels=4 * CHANNELS,
        out_channels=CHANNELS,
        num_layers=blocks,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=16,
        axes_dims_rope=(4, 6, 6),
        use_additional_t_cond=True,
        use_layer3d_rope=True,
    )
    words = [*sorted(ByteLevel.alphabet()), "<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    vocabulary = {word: index for index, word in enumerate(words)}
    tokenizer = Qwen2Tokenizer(vocab=vocabulary, merges=[])
    text = tiny_reader(len(words), 16)
    for name, network in (("vae", vae), ("transformer", transformer), ("text_encoder", text)):
        network.save_pretrained(folder / name)
    tokenizer.save_pretrained(folder / "tokenizer")
    FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True).save_pretrained(folder / "scheduler")
    index = {
        "_class_name": "QwenImageLayeredPipeline",
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
        "vae": ["diffusers", "AutoencoderKLQwenImage"],
        "text_encoder": ["transformers", "Qwen2_5_VLForConditionalGeneration"],
        "tokenizer": ["transformers", "Qwen2Tokenizer"],
        "processor": ["transformers", "Qwen2VLProcessor"],
        "transformer": ["diffusers", "QwenImageTransformer2DModel"],
    }
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder
