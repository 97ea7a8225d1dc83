"""What the authors of FLUX.1 and FLUX.2 call modules of their denoisers, and diffusers' names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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

_WHOLE_2 = {
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "time_in.in_layer": "time_guidance_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_guidance_embed.timestep_embedder.linear_2",
    "final_layer.linear": "proj_out",
    "single_stream_modulation.lin": "single_stream_modulation.linear",
    "double_stream_modulation_img.lin": "double_stream_modulation_img.linear",
    "double_stream_modulation_txt.lin": "double_stream_modulation_txt.linear",
}
_DOUBLE_2 = {
    "img_attn.proj": "attn.to_out.0",
    "txt_attn.proj": "attn.to_add_out",
    "img_mlp.0": "ff.linear_in",
    "img_mlp.2": "ff.linear_out",
    "txt_mlp.0": "ff_context.linear_in",
    "txt_mlp.2": "ff_context.linear_out",
}
_SINGLE_2 = {"linear1": "attn.to_qkv_mlp_proj", "linear2": "attn.to_out"}
_JOINED_2 = {place: names for place, names in _JOINED.items() if place.endswith(".qkv")}

_BLOCK = re.compile(r"(double|single)_blocks\.(\d+)\.(.+)")
_SWAPPED = "final_layer.adaLN_modulation.1"
"""Theirs gives the shift first, diffusers' the scale."""

Rows = tuple[tuple[int, int], ...]
"""Rows of the authors' matrix, first and past the last, in the order of diffusers'."""


@dataclass(frozen=True)
class Names:
    """How one of the two is named: whole modules, those of either kind of block, joined ones."""

    whole: Mapping[str, str]
    double: Mapping[str, str]
    single: Mapping[str, str]
    joined: Mapping[str, tuple[str, ...]]
    swapped: str = ""

    def modules(self, module: str) -> tuple[str, ...]:
        """What a module of the authors is called in diffusers.

        Several where they keep matrices one above the other, none for what is no module of theirs.
        """
        if module in self.whole:
            return (self.whole[module],)
        if module and module == self.swapped:
            return ("norm_out.linear",)
        match = _BLOCK.fullmatch(module)
        if match is None:
            return ()
        form, number, place = match.groups()
        block = f"{'' if form == 'double' else 'single_'}transformer_blocks.{number}"
        table = self.double if form == "double" else self.single
        names = (table[place],) if place in table else self.joined.get(place, ())
        return tuple(f"{block}.{name}" for name in names)

    def theirs(self, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """By the authors' name of each module of a denoiser with these parameters, diffusers'."""
        ours = {name.rpartition(".")[0] for name in names}
        known = [*self.whole, self.swapped]
        for form, prefix, table in (
            ("double", "transformer_blocks.", self.double),
            ("single", "single_transformer_blocks.", self.single),
        ):
            blocks = {name.split(".")[1] for name in ours if name.startswith(prefix)}
            places = [*table, *self.joined]
            known += [f"{form}_blocks.{block}.{place}" for block in blocks for place in places]
        found = {module: self.modules(module) for module in known}
        return {module: places for module, places in found.items() if places and {*places} <= ours}


FLUX_1 = Names(_WHOLE, _DOUBLE, _SINGLE, _JOINED, _SWAPPED)
FLUX_2 = Names(_WHOLE_2, _DOUBLE_2, _SINGLE_2, _JOINED_2)


def theirs(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """See `Names.theirs`, for a denoiser of either."""
    own = list(names)
    second = any(name.startswith("double_stream_modulation_img.") for name in own)
    return (FLUX_2 if second else FLUX_1).theirs(own)


def rows_of(module: str, rows: int, count: int) -> tuple[Rows, ...]:
    """Which rows of a module of the authors each of its `count` modules in diffusers has.

    Where `rows` do not go into as many matrices of one size, some of them are nobody's.
    """
    if module == _SWAPPED:
        half = rows // 2
        return (((half, rows), (0, half)),)
    if count == 1:
        return (((0, rows),),)
    side = rows // (3 if count == 3 else 7)
    ends = [side, 2 * side, 3 * side, rows][:count]
    return tuple(((begin, end),) for begin, end in zip([0, *ends], ends, strict=False))
