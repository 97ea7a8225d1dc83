"""Upscalers of the makes of ESRGAN and Real-ESRGAN under all their names, tiny and random."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor

from acetate.upscaling.dense_network import DenseUpscaler
from acetate.upscaling.network import CompactUpscaler

LAYOUTS = ("new", "old", "first")
BLOCKS = 2


def tiny_dense(doublings: int = 2, folded: int = 1) -> dict[str, Tensor]:
    """In the names of Real-ESRGAN."""
    torch.manual_seed(doublings + folded)
    state = DenseUpscaler(8, 4, BLOCKS, doublings, folded).state_dict()
    return {name: tensor.clone() for name, tensor in state.items()}


def tiny_compact(inner: int = 4) -> dict[str, Tensor]:
    torch.manual_seed(inner)
    return {
        name: tensor.clone()
        for name, tensor in CompactUpscaler(inner, 8, 3, inner).state_dict().items()
    }


def in_layout(state: dict[str, Tensor], layout: str) -> dict[str, Tensor]:
    """The same tensors by the names of ESRGAN's newer or first code."""
    if layout == "new":
        return state
    return {_renamed(name, layout == "first", state): tensor for name, tensor in state.items()}


def _renamed(name: str, first: bool, state: dict[str, Tensor]) -> str:
    last = 3 * sum(bool(re.fullmatch(r"conv_up\d\.weight", key)) for key in state)
    if first:
        dense = r"model.1.sub.\1.RDB\2.conv\3.0."
        ends = {
            "conv_first": "model.0",
            "conv_body": f"model.1.sub.{BLOCKS}",
            "conv_up1": "model.3",
            "conv_up2": "model.6",
            "conv_hr": f"model.{last + 2}",
            "conv_last": f"model.{last + 4}",
        }
    else:
        dense = r"RRDB_trunk.\1.RDB\2.conv\3."
        ends = {"conv_body": "trunk_conv", "conv_hr": "HRconv"}
        ends |= {"conv_up1": "upconv1", "conv_up2": "upconv2"}
    module, _, kind = name.rpartition(".")
    if module in ends:
        return f"{ends[module]}.{kind}"
    return re.sub(r"^body\.(\d+)\.rdb(\d)\.conv(\d)\.", dense, name)


def write_tiny_esrgan(path: Path, layout: str = "first") -> Path:
    """A pickled file as they are shared, enlarging 4 times."""
    state = in_layout(tiny_dense(), layout)
    torch.save(state if layout == "first" else {"params_ema": state}, path)
    return path
