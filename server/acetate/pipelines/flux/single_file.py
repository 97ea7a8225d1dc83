"""A Flux denoiser in one file, under its authors' names, over a folder that gives all else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor

from acetate.errors import ModelDamaged
from acetate.models.base_inventory import DENOISER, names_of_the_first_code
from acetate.models.files import read_config
from acetate.models.network_config import read_network_config
from acetate.models.recognition_error import NotRecognised
from acetate.models.registry import model_named
from acetate.pipelines.base_sources import place_of
from acetate.pipelines.flux.components import FluxBase
from acetate.pipelines.network_loading import META, Unfit, filled, read_tensors

_CPU = torch.device("cpu")
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

_BLOCK = re.compile(r"(double|single)_blocks\.(\d+)\.(.+)\.(weight|bias|scale)")


class FluxFile(FluxBase):
    """A Flux in one file; `folder` is the Flux folder whose other parts it is painted with."""

    stored = ("vae", "text_encoder", "text_encoder_2")

    def __init__(self, path: Path, folder: Path, home: torch.device = _CPU) -> None:
        super().__init__(folder)
        self._path = path
        state = read_tensors([path], home)
        names = names_of_the_first_code(state, "flux")
        self._state = {
            new.removeprefix(DENOISER): state[old]
            for old, new in names.items()
            if new.startswith(DENOISER)
        }

    @property
    def weights(self) -> list[Path]:
        return [self._path, *super().weights]

    @property
    def files(self) -> dict[str, Path]:
        others = {n: path for n, path in super().files.items() if not n.startswith("transformer/")}
        return {self._path.name: self._path, **others}

    def scheduler_config(self) -> dict[str, Any]:
        config = super().scheduler_config()
        if any(name.startswith("guidance_in.") for name in self._state):
            return config
        # FLUX.1-schnell was trained with even noise levels, whatever its folder's was.
        return config | {"shift": 1.0, "use_dynamic_shifting": False}

    def denoiser(self, dtype: torch.dtype, device: torch.device) -> FluxTransformer2DModel:
        own = read_network_config(self._folder / "transformer" / "config.json")
        try:
            state = in_the_names_of_diffusers(self._state)
            config = own | {
                "num_layers": _count(state, "transformer_blocks"),
                "num_single_layers": _count(state, "single_transformer_blocks"),
                "guidance_embeds": any("guidance_embedder" in name for name in state),
            }
            known = cast("Any", FluxTransformer2DModel).extract_init_dict(config)[0]
            return filled(lambda: FluxTransformer2DModel(**known), state, dtype, device)
        except Unfit as error:
            raise ModelDamaged(f"{self._path.name} is no whole Flux: {error}.") from error


def rehearse_flux(path: Path, source: str, name: str) -> int:
    """The native side of a Flux in one file over the model “model:ID”. Raises NotRecognised."""
    folder = place_of(model_named(source.partition(":")[2]))
    try:
        FluxFile(path, folder, META).denoiser(torch.float32, META)
    except ModelDamaged as error:
        raise NotRecognised(error.message.replace(path.name, name)) from error
    return int(read_config(folder / "vae" / "config.json").get("sample_size", 1024))


def in_the_names_of_diffusers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The authors' tensors under diffusers' names. Raises Unfit for a name that none has."""
    found: dict[str, Tensor] = {}
    for name, tensor in state.items():
        place, _, kind = name.rpartition(".")
        if place in _WHOLE:
            found[f"{_WHOLE[place]}.{kind}"] = tensor
        elif place == "final_layer.adaLN_modulation.1":
            # Theirs gives the shift first, diffusers' the scale.
            found[f"norm_out.linear.{kind}"] = torch.cat(tensor.chunk(2)[::-1])
        elif match := _BLOCK.fullmatch(name):
            found |= _of_block(match, tensor)
        else:
            raise Unfit(f"nothing in Flux is called {name}")
    return found


def _of_block(match: re.Match[str], tensor: Tensor) -> dict[str, Tensor]:
    form, number, place, kind = match.groups()
    table = _DOUBLE if form == "double" else _SINGLE
    block = f"{'' if form == 'double' else 'single_'}transformer_blocks.{number}"
    kind = "weight" if kind == "scale" else kind
    if place in table:
        return {f"{block}.{table[place]}.{kind}": tensor}
    if place not in _JOINED:
        raise Unfit(f"nothing in Flux is called {match[0]}")
    names = _JOINED[place]
    side = len(tensor) // (3 if len(names) == 3 else 7)
    sizes = [side] * 3 + [len(tensor) - 3 * side] * (len(names) - 3)
    if sum(sizes) != len(tensor):
        raise Unfit(f"{match[0]} has {len(tensor)} rows")
    return {
        f"{block}.{name}.{kind}": part.contiguous()
        for name, part in zip(names, torch.split(tensor, sizes), strict=True)
    }


def _count(state: Mapping[str, Tensor], blocks: str) -> int:
    return len({name.split(".")[1] for name in state if name.startswith(f"{blocks}.")})
