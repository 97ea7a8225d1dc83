"""Reading weight and configuration files, so that whatever is wrong with one names it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from acetate.errors import ModelDamaged, ModelMissing

T = TypeVar("T")


def existing(path: Path) -> Path:
    """The path itself; ModelMissing if no file is there."""
    if not path.is_file():
        raise ModelMissing(
            f"The model file {path} is missing.", "Install Acetate or fetch the model again."
        )
    return path


def read_config(path: Path) -> dict[str, Any]:
    """A JSON object; ModelMissing or ModelDamaged naming the file."""
    try:
        config = json.loads(existing(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise damaged(path) from error
    if not isinstance(config, dict):
        raise damaged(path)
    return config


def configured(path: Path, make: Callable[[dict[str, Any]], T]) -> T:
    """What `make` builds from a configuration file; ModelDamaged naming it when it cannot."""
    config = read_config(path)
    try:
        return make(config)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(path) from error


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file; ModelMissing or ModelDamaged naming the file."""
    try:
        return load_file(existing(path))
    except (OSError, SafetensorError) as error:
        raise damaged(path) from error


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


def damaged(path: Path) -> ModelDamaged:
    """The error for a file that is there and cannot be used."""
    return ModelDamaged(
        f"The model file {path} is damaged or does not belong to this model.",
        "Install Acetate or fetch the model again.",
    )
