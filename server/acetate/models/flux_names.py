"""What FLUX.1's authors call the modules of its denoiser, and diffusers' names for them."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WHOLE = {
    "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
    "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
    "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
    "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
    "txt_in": "context_embedder",
    "img_in": "x_embedder",
    "final_layer.linear": "proj_out",
}
_DOUBLE = {
    "img_mod.lin": "norm1.linear",
    "txt_mod.lin": "norm1_context.linear",
    "img_attn.norm.query_norm": "attn.norm_q",
    "img_attn.norm.key_norm": "attn.norm_k",
    "txt_attn.norm.query_norm": "attn.norm_added_q",
    "txt_attn.norm.key_norm": "attn.norm_added_k",
    "img_mlp.0": "ff.net.0.proj",
    "img_mlp.2": "ff.net.2",
    "txt_mlp.0": "ff_context.net.0.proj",
    "txt_mlp.2": "ff_context.net.2",
    "img_attn.proj": "attn.to_out.0",
    "txt_attn.proj": "attn.to_add_out",
}
_SINGLE = {
    "modulation.lin": "norm.linear",
    "norm.query_norm": "attn.norm_q",
    "norm.key_norm": "attn.norm_k",
    "linear2": "proj_out",
}
_JOINED = {
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "linear1": ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"),
}
"""Matrices that the authors keep one above the other; the last of four is the longer one."""

_BLOCK = re.compile(r"(double|single)_blocks\.(\d+)\.(.+)")
_SWAPPED = "final_layer.adaLN_modulation.1"
"""Theirs gives the shift first, diffusers' the scale."""

Rows = tuple[tuple[int, int], ...]
"""Rows of the authors' matrix, first and past the last, in the order of diffusers'."""


def diffusers_modules(module: str) -> tuple[str, ...]:
    """What a module of the authors is called there: several where they keep matrices one above the
    other, none for what is no module of theirs.
    """
    if module in _WHOLE:
        return (_WHOLE[module],)
    if module == _SWAPPED:
        return ("norm_out.linear",)
    match = _BLOCK.fullmatch(module)
    if match is None:
        return ()
    form, number, place = match.groups()
    block = f"{'' if form == 'double' else 'single_'}transformer_blocks.{number}"
    table = _DOUBLE if form == "double" else _SINGLE
    names = (table[place],) if place in table else _JOINED.get(place, ())
    return tuple(f"{block}.{name}" for name in names)


def rows_of(module: str, rows: int) -> tuple[Rows, ...]:
    """Which rows of a module of the authors each of `diffusers_modules` has.

    Where `rows` do not go into as many matrices of one size, some of them are nobody's.
    """
    if module == _SWAPPED:
        half = rows // 2
        return (((half, rows), (0, half)),)
    match = _BLOCK.fullmatch(module)
    names = _JOINED.get(match[3], ()) if match else ()
    if not names:
        return (((0, rows),),)
    side = rows // (3 if len(names) == 3 else 7)
    ends = [side, 2 * side, 3 * side, rows][: len(names)]
    return tuple(((begin, end),) for begin, end in zip([0, *ends], ends, strict=False))


def theirs(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """By the authors' name of each module of a denoiser with these parameters, diffusers' names."""
    ours = {name.rpartition(".")[0] for name in names}
    known = list(_WHOLE) + [_SWAPPED]
    for form, prefix, table in (
        ("double", "transformer_blocks.", _DOUBLE),
        ("single", "single_transformer_blocks.", _SINGLE),
    ):
        blocks = {name.split(".")[1] for name in ours if name.startswith(prefix)}
        places = [*table, *_JOINED]
        known += [f"{form}_blocks.{block}.{place}" for block in blocks for place in places]
    found = {module: diffusers_modules(module) for module in known}
    return {module: places for module, places in found.items() if set(places) <= ours}
