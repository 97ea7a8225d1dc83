"""A model in the layout of the embedded one, tiny and random: right in shape, quick to run."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from torch import nn
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import BertModel

from acetate.latent_transparency import OffsetEncoder, TransparentDecoder

FOLD = 4
CHANNELS = 4
WORDS = ["[PAD]", "[UNK]", "a", "red", "apple", "green", "hills", "under", "blue", "sky", "cat"]


def write_tiny_model(folder: Path, seed: int = 1234) -> Path:
    """Write the model and return its folder. Native size 64, factor 16, seeded weights."""
    torch.manual_seed(seed)
    vae = AutoencoderKL(
        in_channels=3 * FOLD**2,
        out_channels=3 * FOLD**2,
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 8, 8),
        layers_per_block=1,
        latent_channels=CHANNELS,
        norm_num_groups=4,
        mid_block_add_attention=False,
        scaling_factor=0.7,
        shift_factor=0.1,
    )
    unet = UNet2DConditionModel(
        sample_size=4,
        in_channels=2 * CHANNELS,
        out_channels=CHANNELS,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(16, 16),
        layers_per_block=1,
        attention_head_dim=2,
        cross_attention_dim=16,
        norm_num_groups=4,
    )
    text_encoder = BertModel(
        BertConfig(
            vocab_size=len(WORDS),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=24,
            type_vocab_size=1,
        ),
        add_pooling_layer=False,
    )
    encoder = OffsetEncoder(CHANNELS, widths=(8, 8, 8), pixel_unshuffle=FOLD)
    decoder = TransparentDecoder(
        CHANNELS,
        widths=(8, 8, 8),
        layers_per_level=1,
        latent_level=2,
        attention_levels=(),
        pixel_unshuffle=FOLD,
    )
    for module in (vae, unet, text_encoder, encoder, decoder):
        _stir(module)
    vae.half().save_pretrained(folder / "vae")
    unet.half().save_pretrained(folder / "unet")
    text_encoder.half().save_pretrained(folder / "text_encoder")
    FlowMatchEulerDiscreteScheduler().save_pretrained(folder / "scheduler")
    _write_tokenizer(folder / "tokenizer")
    transparency = folder / "transparency"
    transparency.mkdir()
    for name, module in (("encoder", encoder), ("decoder", decoder)):
        save_file(module.half().state_dict(), transparency / f"{name}.safetensors")
    config = {"encoder": encoder.config, "decoder": decoder.config}
    config |= {"offset_factor": 1.0, "offset_scaled_by_std": False}
    (transparency / "config.json").write_text(json.dumps(config))
    index = {"_class_name": "AcetateEmbedded", "pixel_unshuffle": FOLD}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def _stir(module: nn.Module) -> None:
    """Give zero-initialised layers something to say, so that no path of the model is dead."""
    for parameter in module.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)


def _write_tokenizer(folder: Path) -> None:
    folder.mkdir()
    vocabulary = {word: index for index, word in enumerate(WORDS)}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
