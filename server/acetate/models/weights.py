"""Reading weights, so that a file that does not fit is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file  # pyright: ignore[reportUnknownVariableType]  # Its paths.
from torch import Tensor, nn

from acetate.models.files import damaged, existing
from acetate.models.safetensors_header import read_header


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file; ModelMissing or ModelDamaged naming the file."""
    read_header(path)
    try:
        return load_file(existing(path))
    except (OSError, SafetensorError) as error:
        raise damaged(path) from error


M = TypeVar("M", bound=nn.Module)


def in_channels_last(module: M) -> M:
    """The same module, its weights in the order of memory in which convolutions are fastest."""
    # Torch declares this form of `to` for tensors alone.
    return cast("Any", module).to(memory_format=torch.channels_last)


def without_gradients(module: M) -> M:
    """The same module, never to be trained."""
    return module.requires_grad_(False).eval()


def fill(module: nn.Module, path: Path, device: torch.device, dtype: torch.dtype) -> None:
    """Load the file into the module exactly, freeze it, and move it to where it will work.

    Raises ModelDamaged when names or shapes differ from what the module needs.
    """
    try:
        module.load_state_dict(read_weights(path))
    except RuntimeError as error:
        raise damaged(path) from error
    # Past diffusers' own `to`, which warns of precautions that only its loader takes.
    nn.Module.to(module.requires_grad_(False).eval(), device, dtype)
