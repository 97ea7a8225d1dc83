"""SD 1.5- and SDXL-shaped models, tiny and random, with transparency files of official names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import save_file
from transformers.models.clip.configuration_clip import CLIPTextConfig
from transformers.models.clip.modeling_clip import CLIPTextModel, CLIPTextModelWithProjection

from acetate.latent_transparency import OffsetEncoder, TransparentDecoder
from tests.parity.reference import listing, seeded_state
from tests.support.written_once import written_once

NOISE = {
    "_class_name": "EulerDiscreteScheduler",
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "epsilon",
}
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789,.!'"


@written_once
def write_tiny_sd15(folder: Path) -> Path:
    """Native size 128. Every published file of the family is there."""
    _write_base(folder, "sd15", "StableDiffusionPipeline", "tiny15", [(CLIPTextModel, 48)])
    for name in ("transparent_attn", "joint", "fg2bg", "bg2fg"):
        shapes = _with_thin_control(listing(f"tiny_sd15_{name}_shapes"))
        _write(folder, f"layer_sd15_{name}", shapes, 0.3)
    whole = listing("tiny_sd15_unet_shapes")
    entry = whole["conv_in.weight"]
    widened = whole | {"conv_in.weight": [entry[0], 12, *entry[2:]]}
    _write(folder, "iclight_sd15_fbc", widened, 0.05)
    _write_pair(folder, "layer_sd15_vae_transparent_{}")
    return folder


def _with_thin_control(shapes: dict[str, list[int]]) -> dict[str, list[int]]:
    """Control maps of 8 channels, not the published 256: those alone would be 85 MB a file."""
    control = ("control_convs", "kwargs_encoder")
    return {
        name: [8 if size == 256 else size for size in shape] if any(c in name for c in control)
        else shape
        for name, shape in shapes.items()
    }  # fmt: skip


@written_once
def write_tiny_sdxl(folder: Path) -> Path:
    """Native size 128. Every published file of the family is there."""
    encoders = [(CLIPTextModel, 32), (CLIPTextModelWithProjection, 32)]
    _write_base(folder, "sdxl", "StableDiffusionXLPipeline", "tinyxl", encoders)
    for name in (
        "transparent_attn",
        "transparent_conv",
        "fg2ble",
        "bg2ble",
        "fgble2bg",
        "bgble2fg",
    ):
        _write(folder, f"layer_xl_{name}", listing(f"tiny_xl_{name}_patch_shapes"), 0.2)
    _write_pair(folder, "vae_transparent_{}")
    return folder


def _write_base(
    folder: Path, family: str, kind: str, tag: str, encoders: list[tuple[Any, int]]
) -> None:
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": kind}))
    unet = UNet2DConditionModel(**listing(f"tiny_{family}_unet_config"))
    unet.load_state_dict(seeded_state(listing(f"tiny_{family}_unet_shapes"), tag))
    unet.save_pretrained(folder / "unet")
    vae = AutoencoderKL(**listing("tiny_vae_config"))
    vae.load_state_dict(seeded_state(listing("tiny_vae_shapes"), "tinyvae"))
    vae.save_pretrained(folder / "vae")
    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(NOISE))
    for ending, (encoder, width) in zip(("", "_2"), encoders, strict=False):
        write_clip_tokenizer(folder / f"tokenizer{ending}")
        torch.manual_seed(len(ending))
        config = CLIPTextConfig(
            vocab_size=2 * len(LETTERS) + 2,
            hidden_size=width,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            projection_dim=32,
            bos_token_id=2 * len(LETTERS),
            eos_token_id=2 * len(LETTERS) + 1,
        )
        encoder(config).save_pretrained(folder / f"text_encoder{ending}")


def write_clip_tokenizer(folder: Path) -> None:
    folder.mkdir()
    words = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS)]
    words += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: index for index, word in enumerate(words)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def _write_pair(folder: Path, names: str) -> None:
    """Smaller than the published pair, at the same factor of 8."""
    torch.manual_seed(0)
    encoder = OffsetEncoder(widths=(4, 8, 8, 8))
    decoder = TransparentDecoder(
        widths=(8, 8, 8, 16), layers_per_level=1, attention_levels=(3,), head_dim=4
    )
    for network in (encoder, decoder):
        for parameter in network.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.01)
    transparency = folder / "transparency"
    for kind, network in (("encoder", encoder), ("decoder", decoder)):
        save_file(network.state_dict(), transparency / f"{names.format(kind)}.safetensors")
    config = {"encoder": encoder.config, "decoder": decoder.config}
    (transparency / "config.json").write_text(json.dumps(config))


def _write(folder: Path, name: str, shapes: dict[str, list[int]], gain: float) -> None:
    state = {key: (tensor * gain).half() for key, tensor in seeded_state(shapes, name).items()}
    (folder / "transparency").mkdir(exist_ok=True)
    save_file(state, folder / "transparency" / f"{name}.safetensors")
