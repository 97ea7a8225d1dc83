"""A model in the layout of the embedded one, tiny and random: right in shape, quick to run."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from torch import nn

from acetate.embedded.autoencoder import Autoencoder
from acetate.embedded.denoiser import Denoiser
from acetate.embedded.text_encoder import TextEncoder
from acetate.latent_transparency import OffsetEncoder, TransparentDecoder

FOLD = 4
CHANNELS = 4
WORDS = ["[PAD]", "[UNK]", "a", "red", "apple", "green", "hills", "under", "blue", "sky", "cat"]


VAE = {
    "in_channels": 3 * FOLD**2,
    "out_channels": 3 * FOLD**2,
    "block_out_channels": [8, 8],
    "layers_per_block": 1,
    "latent_channels": CHANNELS,
    "norm_num_groups": 4,
    "mid_block_add_attention": False,
    "scaling_factor": 0.7,
    "shift_factor": 0.1,
}
UNET = {
    "latent_channels": CHANNELS,
    "conditions": 2,
    "outer": 16,
    "widths": [32, 32, 32],
    "text": 16,
}
TEXT = {
    "vocab_size": len(WORDS),
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 24,
}


def write_tiny_model(folder: Path, seed: int = 1234) -> Path:
    """Write the model and return its folder. Native size 64, factor 16, seeded weights.

    It has no drawings: it paints from noise.
    """
    torch.manual_seed(seed)
    encoder = OffsetEncoder(CHANNELS, widths=(8, 8), pixel_unshuffle=FOLD)
    decoder = TransparentDecoder(
        CHANNELS,
        widths=(8, 8),
        layers_per_level=1,
        latent_level=1,
        attention_levels=(),
        pixel_unshuffle=FOLD,
    )
    transparency = {"encoder": encoder.config, "decoder": decoder.config}
    transparency |= {"offset_factor": 1.0, "offset_scaled_by_std": False}
    _write(folder / "vae", "diffusion_pytorch_model", Autoencoder(VAE), VAE)
    _write(folder / "unet", "model", Denoiser(**UNET), UNET)
    _write(folder / "text_encoder", "model", TextEncoder.of(TEXT), TEXT)
    _write(folder / "transparency", "encoder", encoder, transparency)
    _write(folder / "transparency", "decoder", decoder, transparency)
    _write_tokenizer(folder / "tokenizer")
    index = {"_class_name": "AcetateEmbedded", "pixel_unshuffle": FOLD, "native": 64}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def _write(folder: Path, name: str, module: nn.Module, config: dict[str, object]) -> None:
    _stir(module)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(module.half().state_dict(), folder / f"{name}.safetensors")
    (folder / "config.json").write_text(json.dumps(config))


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
