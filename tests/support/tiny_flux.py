"""A FLUX.1-shaped model, tiny and random, with transparency files of the published names."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import Unigram
from tokenizers.pre_tokenizers import Metaspace
from tokenizers.processors import TemplateProcessing
from torch import Tensor
from transformers.models.clip.configuration_clip import CLIPTextConfig
from transformers.models.clip.modeling_clip import CLIPTextModel
from transformers.models.t5.configuration_t5 import T5Config
from transformers.models.t5.modeling_t5 import T5EncoderModel

from acetate.latent_transparency import OffsetEncoder, TransparentDecoder
from tests.support.tiny_families import LETTERS, write_clip_tokenizer

RANK = 4


def write_tiny_flux(folder: Path, *, pickled: bool = True) -> Path:
    """Native size 128, guided by a number. The pair is one pickled file, as it is published."""
    torch.manual_seed(7)
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "FluxPipeline"}))
    transformer = tiny_transformer()
    transformer.save_pretrained(folder / "transformer")
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=1,
        latent_channels=16,
        norm_num_groups=4,
        sample_size=128,
        scaling_factor=0.3611,
        shift_factor=0.1159,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )
    vae.save_pretrained(folder / "vae")
    FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True).save_pretrained(
        folder / "scheduler"
    )
    write_clip_tokenizer(folder / "tokenizer")
    clip = CLIPTextConfig(
        vocab_size=2 * len(LETTERS) + 2,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        bos_token_id=2 * len(LETTERS),
        eos_token_id=2 * len(LETTERS) + 1,
    )
    CLIPTextModel(clip).save_pretrained(folder / "text_encoder")
    words = _write_t5_tokenizer(folder / "tokenizer_2")
    t5 = T5Config(
        vocab_size=words, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2,
        is_encoder_decoder=False, use_cache=False,
    )  # fmt: skip
    T5EncoderModel(t5).save_pretrained(folder / "text_encoder_2")
    _write_transparency(folder / "transparency", transformer, vae, pickled)
    return folder


def tiny_transformer() -> FluxTransformer2DModel:
    return FluxTransformer2DModel(
        in_channels=64,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=16,
        pooled_projection_dim=32,
        guidance_embeds=True,
        axes_dims_rope=(4, 6, 6),
    )


def tiny_lora(transformer: FluxTransformer2DModel) -> dict[str, Tensor]:
    """Low-rank pairs over both kinds of blocks, under the names of diffusers."""
    state: dict[str, Tensor] = {}
    for name, weight in transformer.state_dict().items():
        if "transformer_blocks.0.attn.to_" in name and name.endswith(".weight"):
            module = name.removesuffix(".weight")
            state[f"transformer.{module}.lora_A.weight"] = torch.randn(RANK, weight.shape[1]) * 0.3
            state[f"transformer.{module}.lora_B.weight"] = torch.randn(weight.shape[0], RANK) * 0.3
    return state


def _write_transparency(
    folder: Path, transformer: FluxTransformer2DModel, vae: AutoencoderKL, pickled: bool
) -> None:
    folder.mkdir()
    encoder = OffsetEncoder(latent_channels=16, widths=(4, 8, 8, 8))
    decoder = TransparentDecoder(
        latent_channels=16,
        widths=(8, 8, 8, 16),
        layers_per_level=1,
        attention_levels=(3,),
        head_dim=4,
    )
    state: dict[str, Tensor] = {}
    for prefix, network in (("sd_vae", vae), ("encoder", encoder), ("decoder", decoder)):
        for name, tensor in network.state_dict().items():
            given = tensor if tensor.any() else torch.randn_like(tensor) * 0.01
            state[f"{prefix}.{name}"] = given.to(torch.bfloat16).contiguous()
    if pickled:
        torch.save(state, folder / "TransparentVAE.pth")
    else:
        save_file(state, folder / "TransparentVAE.safetensors")
    config = {"encoder": encoder.config, "decoder": decoder.config}
    (folder / "TransparentVAE.json").write_text(json.dumps(config))
    save_file(tiny_lora(transformer), folder / "layerlora.safetensors")


def _write_t5_tokenizer(folder: Path) -> int:
    folder.mkdir()
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -1.0)]
    pieces += [(letter, -2.0) for letter in LETTERS]
    tokenizer = Tokenizer(Unigram(pieces, unk_id=2))
    tokenizer.pre_tokenizer = Metaspace()
    tokenizer.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.add_special_tokens(["<pad>", "</s>", "<unk>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    return len(pieces)
