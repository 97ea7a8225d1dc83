"""Files in the layouts that people share, tiny and random: checkpoints, styles, control networks.

The renaming here is written from the published files' own names, so that reading one back checks
the converters that Acetate relies on.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from diffusers.models.adapter import T2IAdapter
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.models.controlnets.controlnet_union import ControlNetUnionModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers.models.clip.configuration_clip import CLIPTextConfig
from transformers.models.clip.modeling_clip import CLIPTextModel, CLIPTextModelWithProjection

from acetate.models.unet_names import ldm_names
from tests.parity.reference import listing, seeded_state

WORDS = 49408
State = dict[str, Tensor]


def tiny_denoiser(family: str) -> UNet2DConditionModel:
    """The denoiser that the tiny transparency patches fit, with the heads of its family."""
    config = listing(f"tiny_{family}_unet_config")
    heads = 8 if family == "sd15" else [max(1, side // 64) for side in config["block_out_channels"]]
    unet = UNet2DConditionModel(**{**config, "attention_head_dim": heads})
    unet.load_state_dict(seeded_state(listing(f"tiny_{family}_unet_shapes"), f"own {family}"))
    return unet


def write_checkpoint(path: Path, family: str) -> dict[str, nn.Module]:
    """A whole base in one half-precision file; returns its networks, in full precision."""
    torch.manual_seed(3)
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(32, 32, 32, 64),
        layers_per_block=1,
    )
    networks: dict[str, nn.Module] = {
        "unet": tiny_denoiser(family),
        "vae": vae,
        "text_encoder": CLIPTextModel(text_config(48 if family == "sd15" else 32, "quick_gelu")),
    }
    if family == "sdxl":
        networks["text_encoder_2"] = CLIPTextModelWithProjection(text_config(32, "gelu"))
    state = {f"model.diffusion_model.{name}": t for name, t in _ldm(networks["unet"]).items()}
    state |= {f"first_stage_model.{_vae_name(n)}": t for n, t in _vae_state(vae).items()}
    clip = (
        "cond_stage_model.transformer."
        if family == "sd15"
        else "conditioner.embedders.0.transformer."
    )
    state |= {f"{clip}{n}": t for n, t in _named(networks["text_encoder"]).items()}
    if family == "sdxl":
        second = _open_clip(_named(networks["text_encoder_2"]))
        state |= {f"conditioner.embedders.1.model.{n}": t for n, t in second.items()}
    save_file({name: tensor.half().contiguous().clone() for name, tensor in state.items()}, path)
    return networks


def write_style(path: Path, family: str, form: str, *, gain: float = 0.5) -> Path:
    """A style of rank 2 over a convolution, attention of the denoiser, and the text encoder.

    `form` is "kohya" or "diffusers".
    """
    generator = torch.Generator().manual_seed(5)
    unet = tiny_denoiser(family)
    names = [
        "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q",
        "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k",
        "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0",
        "up_blocks.0.resnets.0.conv1",
    ]
    width = 48 if family == "sd15" else 32
    targets = {("unet", name): unet.get_parameter(f"{name}.weight") for name in names}
    encoders = ["text_encoder"] if family == "sd15" else ["text_encoder", "text_encoder_2"]
    for encoder in encoders:
        name = "text_model.encoder.layers.0.self_attn.q_proj"
        targets[encoder, name] = torch.empty(width, width)
    state: State = {}
    for (network, name), weight in targets.items():
        rank, shape = 2, list(weight.shape)
        down = torch.randn([rank, *shape[1:]], generator=generator) * gain
        up = torch.randn([shape[0], rank, *([1] * (len(shape) - 2))], generator=generator) * gain
        if form == "diffusers":
            state[f"{network}.{name}.lora_A.weight"], state[f"{network}.{name}.lora_B.weight"] = (
                down,
                up,
            )
        else:
            prefix = {"unet": "lora_unet", "text_encoder_2": "lora_te2"}.get(
                network, "lora_te" if family == "sd15" else "lora_te1"
            )
            key = f"{prefix}_{name.replace('.', '_')}"
            state[f"{key}.lora_down.weight"], state[f"{key}.lora_up.weight"] = down, up
            state[f"{key}.alpha"] = torch.tensor(1.0)
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)
    return path


def write_control(path: Path, family: str, form: str = "diffusers") -> Path:
    """A control network for the tiny denoiser, in "diffusers" names or the "original" ones."""
    torch.manual_seed(11)
    network = ControlNetModel.from_unet(
        tiny_denoiser(family), conditioning_embedding_out_channels=(4, 8, 8, 16)
    )
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.2)
    state = network.state_dict()
    if form == "original":
        state = {f"control_model.{name}": t for name, t in _control_names(state).items()}
    save_file({name: tensor.contiguous().clone() for name, tensor in state.items()}, path)
    return path


def write_union(path: Path, tasks: int = 8) -> Path:
    """A union control network for the tiny denoiser of SDXL."""
    torch.manual_seed(17)
    kind: Any = ControlNetUnionModel
    unet = tiny_denoiser("sdxl")
    like = kind.from_unet(
        unet, conditioning_embedding_out_channels=(4, 8, 8, 16), load_weights_from_unet=False
    )
    width = unet.config["block_out_channels"][0]
    network = kind.from_config(
        like.config, num_control_type=tasks, num_trans_channel=width, num_proj_channel=width
    )
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.2)
    state = network.state_dict()
    save_file({name: tensor.contiguous().clone() for name, tensor in state.items()}, path)
    return path


def t2i_adapter(family: str, channels: int, light: bool) -> T2IAdapter:
    """A T2I adapter for the tiny denoiser."""
    torch.manual_seed(13)
    widths = list(tiny_denoiser(family).config["block_out_channels"])
    kind = "full_adapter_xl" if family == "sdxl" else "full_adapter"
    return T2IAdapter(
        in_channels=channels,
        channels=widths[:3] if light else [*widths, widths[-1]][:4],
        num_res_blocks=4 if light else 2,
        downscale_factor=16 if family == "sdxl" else 8,
        adapter_type="light_adapter" if light else kind,
    )


def write_t2i(
    path: Path, family: str, channels: int, light: bool, names: str = "diffusers"
) -> Path:
    """As a file: in "diffusers" names, in those without their prefix ("bare") or its "authors"."""
    state = t2i_adapter(family, channels, light).state_dict()
    if names != "diffusers":
        state = {name.removeprefix("adapter."): tensor for name, tensor in state.items()}
    if names == "authors" and light:
        state = {name.replace(".resnets.", ".body."): tensor for name, tensor in state.items()}
    elif names == "authors":
        state = {_in_a_row(name): tensor for name, tensor in state.items()}
    save_file({name: tensor.contiguous().clone() for name, tensor in state.items()}, path)
    return path


def _in_a_row(name: str) -> str:
    """Its authors number the residual blocks through, two to a level."""
    found = re.fullmatch(r"body\.(\d+)\.(?:resnets\.(\d)\.)?(\w+\.\w+)", name)
    return name if found is None else f"body.{2 * int(found[1]) + int(found[2] or 0)}.{found[3]}"


def text_config(width: int, activation: str) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=WORDS,
        hidden_size=width,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=1,
        projection_dim=32,
        hidden_act=activation,
    )


def _ldm(unet: nn.Module) -> State:
    state = unet.state_dict()
    return {ldm: state[name] for ldm, name in ldm_names(state).items()}


def _control_names(state: State) -> State:
    renamed = {ldm: state[name] for ldm, name in ldm_names(state).items()}
    for name, tensor in state.items():
        if match := re.fullmatch(r"controlnet_down_blocks\.(\d+)\.(\w+)", name):
            renamed[f"zero_convs.{match[1]}.0.{match[2]}"] = tensor
        elif match := re.fullmatch(r"controlnet_mid_block\.(\w+)", name):
            renamed[f"middle_block_out.0.{match[1]}"] = tensor
        elif match := re.fullmatch(r"controlnet_cond_embedding\.(.+)\.(\w+)", name):
            place = {"conv_in": 0, "conv_out": 14}.get(match[1])
            if place is None:
                place = 2 * int(match[1].removeprefix("blocks.")) + 2
            renamed[f"input_hint_block.{place}.{match[2]}"] = tensor
    assert len(renamed) == len(state)
    return renamed


def _vae_state(vae: nn.Module) -> State:
    """Attention in the first code is made of 1 × 1 convolutions."""
    return {
        name: tensor[:, :, None, None] if "attentions" in name and tensor.dim() == 2 else tensor
        for name, tensor in vae.state_dict().items()
    }


def _vae_name(name: str) -> str:
    name = re.sub(r"down_blocks\.(\d)\.resnets\.", r"down.\1.block.", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0\.", r"down.\1.downsample.", name)
    name = re.sub(r"up_blocks\.(\d)", lambda match: f"up.{3 - int(match[1])}", name)
    name = name.replace(".resnets.", ".block.").replace(".upsamplers.0.", ".upsample.")
    name = re.sub(r"mid_block\.block\.(\d)", lambda match: f"mid.block_{int(match[1]) + 1}", name)
    for ours, theirs in (
        ("mid_block.attentions.0.", "mid.attn_1."),
        ("group_norm", "norm"),
        ("to_out.0", "proj_out"),
        ("to_", ""),
        ("conv_norm_out", "norm_out"),
        ("conv_shortcut", "nin_shortcut"),
    ):
        name = name.replace(ours, theirs)
    return name


def _named(encoder: nn.Module) -> State:
    """The names that published files have, whatever this version of transformers calls them."""
    return {
        name if name.startswith("text_") else f"text_model.{name}": tensor
        for name, tensor in encoder.state_dict().items()
    }


def _open_clip(state: State) -> State:
    renamed: State = {
        "positional_embedding": state["text_model.embeddings.position_embedding.weight"],
        "token_embedding.weight": state["text_model.embeddings.token_embedding.weight"],
        "ln_final.weight": state["text_model.final_layer_norm.weight"],
        "ln_final.bias": state["text_model.final_layer_norm.bias"],
        "text_projection": state["text_projection.weight"].T,
        "logit_scale": torch.tensor(4.6),
    }
    for layer in range(2):
        ours, theirs = f"text_model.encoder.layers.{layer}.", f"transformer.resblocks.{layer}."
        for kind in ("weight", "bias"):
            parts = [state[f"{ours}self_attn.{part}_proj.{kind}"] for part in "qkv"]
            renamed[f"{theirs}attn.in_proj_{kind}"] = torch.cat(parts)
            for here, there in (
                ("self_attn.out_proj", "attn.out_proj"),
                ("layer_norm1", "ln_1"),
                ("layer_norm2", "ln_2"),
                ("mlp.fc1", "mlp.c_fc"),
                ("mlp.fc2", "mlp.c_proj"),
            ):
                renamed[f"{theirs}{there}.{kind}"] = state[f"{ours}{here}.{kind}"]
    return renamed
