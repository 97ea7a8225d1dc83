"""What the published patches call the weights of a U-Net, by rule.

The patches use the names of the first latent diffusion code ("LDM"), the networks here those of
diffusers. Both number the same blocks: LDM counts every layer on the way down and up in one
sequence, diffusers by level.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_TOP = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "time_embedding.cond_proj": "time_embed.cond_proj",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_RESIDUAL = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_DOWN = re.compile(r"down_blocks\.(\d+)\.(resnets|attentions|downsamplers)\.(\d+)\.(.+)")
_UP = re.compile(r"up_blocks\.(\d+)\.(resnets|attentions|upsamplers)\.(\d+)\.(.+)")
_MIDDLE = re.compile(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)")


def ldm_names(names: Iterable[str], layers_per_block: int = 2) -> dict[str, str]:
    """LDM name to diffusers name, for all parameter names of one U-Net.

    Names that no rule covers are left out: those of networks of another make.
    """
    names = list(names)
    attentive = {match[1] for name in names if (match := _UP.match(name)) if match[2][0] == "a"}
    table: dict[str, str] = {}
    for name in names:
        module, _, kind = name.rpartition(".")
        ldm = _ldm_module(module, layers_per_block + 1, attentive)
        if ldm is not None:
            table[f"{ldm}.{kind}"] = name
    return table


def _ldm_module(module: str, slots: int, attentive: set[str]) -> str | None:
    """`slots` is the number of layers in a level; `attentive` are the up levels with attention."""
    if module in _TOP:
        return _TOP[module]
    if match := _DOWN.fullmatch(module):
        level, kind, layer, inside = int(match[1]), match[2], int(match[3]), match[4]
        if kind == "downsamplers":
            return f"input_blocks.{level * slots + slots}.0.op"
        return _layer(f"input_blocks.{1 + level * slots + layer}", kind, inside)
    if match := _UP.fullmatch(module):
        level, kind, layer, inside = int(match[1]), match[2], int(match[3]), match[4]
        if kind == "upsamplers":
            place = 2 if match[1] in attentive else 1
            return f"output_blocks.{level * slots + slots - 1}.{place}.conv"
        return _layer(f"output_blocks.{level * slots + layer}", kind, inside)
    if match := _MIDDLE.fullmatch(module):
        kind, layer, inside = match[1], int(match[2]), match[3]
        if kind == "attentions":
            return f"middle_block.1.{inside}"
        return f"middle_block.{2 * layer}.{_RESIDUAL[inside]}"
    return None


def _layer(prefix: str, kind: str, inside: str) -> str:
    return f"{prefix}.1.{inside}" if kind == "attentions" else f"{prefix}.0.{_RESIDUAL[inside]}"


def attention_units(layers_per_block: int, down: Iterable[bool], up: Iterable[bool]) -> list[str]:
    """The attention modules of an SD 1.5 U-Net in the order of the attention-sharing files.

    `down` and `up` say which levels have attention. Down first, then up, the middle last; self
    attention before cross attention in each.
    """
    blocks = [
        f"down_blocks.{level}.attentions.{layer}"
        for level, has in enumerate(down)
        for layer in range(layers_per_block if has else 0)
    ]
    blocks += [
        f"up_blocks.{level}.attentions.{layer}"
        for level, has in enumerate(up)
        for layer in range(layers_per_block + 1 if has else 0)
    ]
    blocks.append("mid_block.attentions.0")
    return [
        f"{block}.transformer_blocks.0.{kind}" for block in blocks for kind in ("attn1", "attn2")
    ]
