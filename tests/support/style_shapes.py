"""Styles in the many dialects that people have them, drawn from a seed, for the tiny bases."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from tests.support.file_shapes import Shape

State = dict[str, Tensor]
BLOCK = "attentions.0.transformer_blocks.0"
TARGETS = {
    f"down_blocks.1.{BLOCK}.attn1.to_q": (64, 64),
    f"mid_block.{BLOCK}.attn1.to_out.0": (64, 64),
    "up_blocks.0.resnets.0.conv1": (64, 128, 3, 3),
}
LDM = {
    f"down_blocks.1.{BLOCK}.attn1.to_q": "input_blocks.4.1.transformer_blocks.0.attn1.to_q",
    f"mid_block.{BLOCK}.attn1.to_out.0": "middle_block.1.transformer_blocks.0.attn1.to_out.0",
    "up_blocks.0.resnets.0.conv1": "output_blocks.0.0.in_layers.2",
}
WAYS: dict[str, Callable[[str], str]] = {
    "diffusers": lambda module: f"unet.{module}",
    "bare": lambda module: module,
    "kohya": lambda module: f"lora_unet_{module.replace('.', '_')}",
    "kohya, first code": lambda module: f"lora_unet_{LDM[module].replace('.', '_')}",
    "peft": lambda module: f"base_model.model.{module}",
    "peft in diffusers": lambda module: f"unet.base_model.model.{module}",
    "ComfyUI": lambda module: f"diffusion_model.{LDM[module]}",
    "LyCORIS": lambda module: f"lycoris_{module.replace('.', '_')}",
    "nobody's": lambda module: f"lora_other_{module}",
}
PAIRS = {
    "A and B": ("lora_A.weight", "lora_B.weight"),
    "A and B by name": ("lora_A.default.weight", "lora_B.default.weight"),
    "A and B by another name": ("lora_A.my-ink.weight", "lora_B.my-ink.weight"),
    "down and up": ("lora_down.weight", "lora_up.weight"),
    "lora.down": ("lora.down.weight", "lora.up.weight"),
    "linear layer": ("lora_linear_layer.down.weight", "lora_linear_layer.up.weight"),
}
KINDS = ("LoRA", "LoRA", "LoRA", "LoCon", "LoHa", "LoKr", "DoRA", "difference", "half", "OFT")
EXTRAS = (
    "alpha", "header", "words", "text encoder", "wrong shape", "bad header", "nested header",
    "bias", "nothing",
)  # fmt: skip


def draw_style(place: Path, width: int, seed: int) -> Shape:
    """A style of rank 2 for the tiny bases; `width` is that of their first text encoder."""
    chance = random.Random(f"style {seed}")
    way, pair = chance.choice(sorted(WAYS)), chance.choice(sorted(PAIRS))
    kind, extra = chance.choice(KINDS), chance.choice(EXTRAS)
    generator = torch.Generator().manual_seed(seed)

    def numbers(*sides: int) -> Tensor:
        return torch.randn(sides, generator=generator) * 0.2

    down_name, up_name = PAIRS[pair]
    state: State = {}
    for module, shape in TARGETS.items():
        name = WAYS[way](module)
        rank, (out, into, *kernel) = 2, shape
        ones = [1] * len(kernel)
        if kind in ("LoRA", "DoRA", "half"):
            state[f"{name}.{down_name}"] = numbers(rank, into, *kernel)
            state[f"{name}.{up_name}"] = numbers(out, rank, *ones)
        elif kind == "LoCon":
            state[f"{name}.lora_down.weight"] = numbers(rank, into, *ones)
            state[f"{name}.lora_up.weight"] = numbers(out, rank, *ones)
            if kernel:
                state[f"{name}.lora_mid.weight"] = numbers(rank, rank, *kernel)
        elif kind == "LoHa":
            inner = into * 9 if kernel else into
            for which in (1, 2):
                state[f"{name}.hada_w{which}_a"] = numbers(out, rank)
                state[f"{name}.hada_w{which}_b"] = numbers(rank, inner)
        elif kind == "LoKr":
            state[f"{name}.lokr_w1"] = numbers(4, 4)
            state[f"{name}.lokr_w2_a"] = numbers(out // 4, rank)
            state[f"{name}.lokr_w2_b"] = numbers(rank, into // 4 * (9 if kernel else 1))
        elif kind == "difference":
            state[f"{name}.diff"] = numbers(*shape)
            if kernel:
                state[f"{name}.diff_b"] = numbers(out)
        else:
            state[f"{name}.oft_blocks"] = numbers(4, 16, 16)
        if kind == "DoRA":
            state[f"{name}.dora_scale"] = numbers(out, 1, *ones).abs() + 1
        if extra == "alpha":
            state[f"{name}.alpha"] = torch.tensor(1.0)
    header = {"format": "pt"}
    if extra == "header":
        header["lora_adapter_metadata"] = json.dumps({"unet.r": 2, "unet.lora_alpha": 1})
    elif extra == "nested header":
        header["lora_adapter_metadata"] = json.dumps({"unet": {"r": 2, "lora_alpha": 1}})
    elif extra == "bias":
        ups = [name for name in state if name.endswith(PAIRS[pair][1])]
        for name in ups:
            state[name.removesuffix("weight") + "bias"] = numbers(state[name].shape[0])
    elif extra == "bad header":
        header["lora_adapter_metadata"] = "{"
    elif extra == "words":
        state["bundle_emb.word.string_to_param.*"] = numbers(2, width)
    elif extra == "text encoder":
        name = "text_encoder.text_model.encoder.layers.0.self_attn.q_proj"
        state[f"{name}.lora_A.weight"] = numbers(2, width)
        state[f"{name}.lora_B.weight"] = numbers(width, 2)
    elif extra == "wrong shape":
        first = next(iter(state))
        state[first] = numbers(3, 5)
    if kind == "half":
        state.pop(next(iter(state)))
    path = place / f"style-{seed}.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path, header)
    return Shape(path, [way, pair, kind, extra])
