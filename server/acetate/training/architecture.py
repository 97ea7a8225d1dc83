"""Shapes of the embedded model: diffusers' and transformers' own classes at small sizes.

The latent grid is 16 × 16 at 128 px: the autoencoder works on images whose 4 × 4 neighbourhoods
are folded into channels (pixel unshuffle), which keeps every convolution off the full resolution.
"""

from __future__ import annotations

from typing import Any

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import BertModel

NATIVE_SIZE = 128
PIXEL_UNSHUFFLE = 4
LATENT_CHANNELS = 12
LATENT_GRID = 16
PROMPT_TOKENS = 24
TEXT_WIDTH = 128

TRANSPARENCY: dict[str, dict[str, Any]] = {
    "encoder": {
        "latent_channels": LATENT_CHANNELS,
        "widths": [64, 128],
        "pixel_unshuffle": PIXEL_UNSHUFFLE,
    },
    "decoder": {
        "latent_channels": LATENT_CHANNELS,
        "widths": [80, 128],
        "layers_per_level": 2,
        "latent_level": 1,
        "attention_levels": [],
        "pixel_unshuffle": PIXEL_UNSHUFFLE,
    },
}


def build_autoencoder() -> AutoencoderKL:
    """Autoencoder on unshuffled pixels: [B, 48, H/4, W/4] to [B, 12, H/8, W/8] and back."""
    folded = 3 * PIXEL_UNSHUFFLE**2
    shapes: dict[str, Any] = dict(  # diffusers annotates these as one-element tuples
        in_channels=folded,
        out_channels=folded,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(96, 160),
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=16,
        sample_size=NATIVE_SIZE // PIXEL_UNSHUFFLE,
        mid_block_add_attention=False,
    )
    return AutoencoderKL(**shapes)


def build_denoiser() -> UNet2DConditionModel:
    """Velocity U-Net; its input is the noisy latent followed by a condition latent (or zeros)."""
    shapes: dict[str, Any] = dict(
        sample_size=LATENT_GRID,
        in_channels=2 * LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(96, 128, 192),
        layers_per_block=1,
        transformer_layers_per_block=1,
        attention_head_dim=(3, 4, 6),
        cross_attention_dim=TEXT_WIDTH,
        norm_num_groups=16,
        addition_embed_type="text",
        addition_embed_type_num_heads=8,
    )
    return UNet2DConditionModel(**shapes)


def build_text_encoder(vocabulary: int) -> BertModel:
    """Two-layer text transformer over static token vectors, [B, 24] tokens to [B, 24, 128]."""
    return BertModel(
        BertConfig(
            vocab_size=vocabulary,
            hidden_size=TEXT_WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=4 * TEXT_WIDTH,
            max_position_embeddings=PROMPT_TOKENS,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            type_vocab_size=1,
        ),
        add_pooling_layer=False,
    )
