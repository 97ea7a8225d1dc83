"""FLUX.2 klein, tiny and random, of the published classes, in the folder layout of diffusers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl_flux2 import AutoencoderKLFlux2
from diffusers.models.transformers.transformer_flux2 import Flux2Transformer2DModel
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from tokenizers.pre_tokenizers import ByteLevel
from transformers import Qwen2Tokenizer, Qwen3Config, Qwen3ForCausalLM

CHANNELS, WIDTH = 4, 16
MARKS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>")


def write_tiny_flux2(folder: Path, *, distilled: bool = True) -> Path:
    """Eight pixels to a place of the autoencoder's latent, as the published one."""
    torch.manual_seed(0)
    transformer = Flux2Transformer2DModel(
        in_channels=4 * CHANNELS,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=3 * WIDTH,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    )
    words = [*sorted(ByteLevel.alphabet()), *MARKS]
    ids = {word: number for number, word in enumerate(words)}
    tokenizer = Qwen2Tokenizer(
        vocab=ids, merges=[], extra_special_tokens=list(MARKS), pad_token="<|endoftext|>"
    )
    text = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(words),
            hidden_size=WIDTH,
            intermediate_size=WIDTH,
            num_hidden_layers=28,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=8,
        )
    )
    networks = (("vae", tiny_autoencoder()), ("transformer", transformer), ("text_encoder", text))
    for name, network in networks:
        network.save_pretrained(folder / name)
    tokenizer.save_pretrained(folder / "tokenizer")
    FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True).save_pretrained(folder / "scheduler")
    index = {"_class_name": "Flux2KleinPipeline", "is_distilled": distilled}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def tiny_autoencoder(**changes: Any) -> AutoencoderKLFlux2:
    """With a running mean and variance that are not those of a fresh one."""
    vae = AutoencoderKLFlux2(
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=1,
        latent_channels=CHANNELS,
        norm_num_groups=4,
        sample_size=64,
        **changes,
    )
    running = vae.bn.state_dict()
    running["running_mean"].copy_(torch.linspace(-0.2, 0.2, 4 * CHANNELS))
    running["running_var"].copy_(torch.linspace(0.5, 1.5, 4 * CHANNELS))
    return vae
