"""What a denoiser has learned, in the official layout of its family."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]  # Its paths.
from torch import Tensor, nn

from acetate.adapters.shared_attention import SharedAttention
from acetate.models.unet_names import attention_units, ldm_names
from acetate.training.conversion.layouts import LAYOUTS
from acetate.training.conversion.low_rank import Change, as_pair
from acetate.training.whole_files import written_whole

PUBLISHED_RANK = 256
"""The only one that other tools read of an SD 1.5 file."""


def write_patch(
    folder: Path, family: str, denoiser: nn.Module, changes: Mapping[str, Change]
) -> Path:
    """Write the changes by layer, in half precision. Raises CannotWrite.

    `denoiser` is as it was before. SD 1.5 files hold pairs of one rank: smaller ones are filled
    up with nothing, and all attention weights become pairs of a rank that holds them.
    """
    writers = {"sd15": _shared_attention, "sdxl": _offsets, "flux": _pairs}
    state = writers[family](denoiser, changes)
    half = {name: tensor.to(torch.float16).contiguous() for name, tensor in state.items()}
    return written_whole(
        folder / f"{LAYOUTS[family].patch}.safetensors",
        lambda part: save_file(half, part, metadata={"format": "pt"}),
    )


def write_adapter_lora(folder: Path, network: str, changes: Mapping[str, Change]) -> Path:
    """Write the changes as `save_lora_weights` of diffusers does, to go into the folder of an RGBA
    adapter: their strength is 1. Raises CannotWrite.
    """
    state: dict[str, Tensor] = {}
    for name, change in changes.items():
        up, down = as_pair(change)
        state[f"{network}.{name}.lora_A.weight"] = down.half().contiguous()
        state[f"{network}.{name}.lora_B.weight"] = up.half().contiguous()
    return written_whole(
        folder / "pytorch_lora_weights.safetensors",
        lambda part: save_file(state, part, metadata={"format": "pt"}),
    )


def _offsets(denoiser: nn.Module, changes: Mapping[str, Change]) -> dict[str, Tensor]:
    """`diffusion_model.<LDM name>::lora::<0 up, 1 down>`, or `::diff::0`."""
    ldm = {ours: theirs for theirs, ours in ldm_names(denoiser.state_dict()).items()}
    state: dict[str, Tensor] = {}
    for name, change in changes.items():
        key = f"diffusion_model.{ldm[f'{name}.weight']}"
        if isinstance(change, tuple):
            state[f"{key}::lora::0"], state[f"{key}::lora::1"] = change
        else:
            state[f"{key}::diff::0"] = change
    return state


def _pairs(denoiser: nn.Module, changes: Mapping[str, Change]) -> dict[str, Tensor]:
    del denoiser
    state: dict[str, Tensor] = {}
    for name, change in changes.items():
        up, down = as_pair(change)
        state[f"transformer.{name}.lora_A.weight"] = down
        state[f"transformer.{name}.lora_B.weight"] = up
    return state


def _shared_attention(denoiser: nn.Module, changes: Mapping[str, Change]) -> dict[str, Tensor]:
    """One unit for each attention; attention between layers answers nothing for one layer."""
    config: Any = denoiser.config
    down = ["CrossAttn" in block for block in config["down_block_types"]]
    up = ["CrossAttn" in block for block in config["up_block_types"]]
    names = attention_units(config["layers_per_block"], down, up)
    pairs = {name: as_pair(change) for name, change in changes.items()}
    rank = max(PUBLISHED_RANK, *(each[1].shape[0] for each in pairs.values()))
    state: dict[str, Tensor] = {}
    for number, unit in enumerate(names):
        width = pairs[f"{unit}.to_q"][1].shape[1]
        context = pairs[f"{unit}.to_k"][1].shape[1]
        empty = SharedAttention(width, context, rank, frames=1, control=False)
        nn.init.zeros_(empty.temporal_o.weight)
        nn.init.zeros_(empty.temporal_o.bias)
        for ours, theirs in (
            ("to_q", "to_q"),
            ("to_k", "to_k"),
            ("to_v", "to_v"),
            ("to_out", "to_out.0"),
        ):
            high, low = pairs[f"{unit}.{theirs}"]
            room = rank - low.shape[0]
            pair: Any = getattr(empty, f"{ours}_lora")[0]
            pair.down.weight.data = nn.functional.pad(low, (0, 0, 0, room))
            pair.up.weight.data = nn.functional.pad(high, (0, room))
        state |= {
            f"hookers.layers.{number}.{key}": value.detach()
            for key, value in empty.state_dict().items()
        }
    return state
