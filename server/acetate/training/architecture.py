"""Shapes of the embedded model.

The latent grid is an eighth of the picture: the autoencoder works on images whose 4 × 4
neighbourhoods are folded into channels (pixel unshuffle), which keeps every convolution off the
full resolution.
"""

from __future__ import annotations

from typing import Any

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

from acetate.embedded.denoiser import Denoiser
from acetate.embedded.text_encoder import TextEncoder

NATIVE_SIZE = 512
"""Side of a result."""
PAINTED_SIZE = 256
"""Side of what is painted before it is enlarged."""
CODEC_SIZE = 128
"""Side of the pictures that the autoencoder and the transparency were trained on."""
PIXEL_UNSHUFFLE = 4
LATENT_CHANNELS = 12
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
DENOISER: dict[str, Any] = {
    "latent_channels": LATENT_CHANNELS,
    "conditions": 2,
    "outer": 64,
    "widths": [96, 128, 192],
    "text": TEXT_WIDTH,
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
        sample_size=CODEC_SIZE // PIXEL_UNSHUFFLE,
        mid_block_add_attention=False,
    )
    return AutoencoderKL(**shapes)


def build_denoiser() -> Denoiser:
    """Velocity U-Net; beside the noisy latent lie a drawing to go by and a picture to paint for."""
    return Denoiser(**DENOISER)


def text_config(vocabulary: int) -> dict[str, Any]:
    """The configuration of the text encoder, in BERT's words."""
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": vocabulary,
        "hidden_size": TEXT_WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 4 * TEXT_WIDTH,
        "max_position_embeddings": PROMPT_TOKENS,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "layer_norm_eps": 1e-12,
        "type_vocab_size": 1,
        "pad_token_id": 0,
    }


def build_text_encoder(vocabulary: int) -> TextEncoder:
    """Two-layer text transformer over static token vectors, [B, 24] tokens to [B, 24, 128]."""
    return TextEncoder.of(text_config(vocabulary))
