"""Qwen-Image and its Edit, tiny and random, of the published classes, as diffusers writes them."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_kl_qwenimage import AutoencoderKLQwenImage
from diffusers.models.transformers.transformer_qwenimage import QwenImageTransformer2DModel
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from tokenizers.pre_tokenizers import ByteLevel
from transformers import Qwen2Tokenizer

from tests.support.tiny_reader import tiny_reader

CHANNELS, WIDTH = 16, 16
MARKS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)


def write_tiny_qwen(folder: Path, *, edits: bool = False, blocks: int = 1) -> Path:
    """Eight pixels to a place of the autoencoder's latent, as the published one."""
    torch.manual_seed(0)
    vae = AutoencoderKLQwenImage(
        base_dim=8,
        z_dim=CHANNELS,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[0.05 * channel for channel in range(CHANNELS)],
        latents_std=[1.0 + 0.05 * channel for channel in range(CHANNELS)],
    )
    transformer = QwenImageTransformer2DModel(
        in_channels=4 * CHANNELS,
        out_channels=CHANNELS,
        num_layers=blocks,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        axes_dims_rope=(4, 6, 6),
        zero_cond_t=edits,
    )
    words = [*sorted(ByteLevel.alphabet()), *MARKS]
    ids = {word: number for number, word in enumerate(words)}
    tokenizer = Qwen2Tokenizer(
        vocab=ids, merges=[], extra_special_tokens=list(MARKS), pad_token="<|endoftext|>"
    )
    text = tiny_reader(
        len(words),
        WIDTH,
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    for name, network in (("vae", vae), ("transformer", transformer), ("text_encoder", text)):
        network.save_pretrained(folder / name)
    tokenizer.save_pretrained(folder / "tokenizer")
    # The published schedule, with its end that is not quite without noise.
    FlowMatchEulerDiscreteScheduler(
        use_dynamic_shifting=True,
        base_shift=0.5,
        max_shift=0.9,
        base_image_seq_len=256,
        max_image_seq_len=8192,
        shift_terminal=0.02,
    ).save_pretrained(folder / "scheduler")
    kind = "QwenImageEditPlusPipeline" if edits else "QwenImagePipeline"
    (folder / "model_index.json").write_text(json.dumps({"_class_name": kind}))
    return folder
