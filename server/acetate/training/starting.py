"""Begin a stage from the weights of a finished model instead of from nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from acetate.models.weights import read_weights

WEIGHT_FILES = {
    "autoencoder": "vae/diffusion_pytorch_model.safetensors",
    "encoder": "transparency/encoder.safetensors",
    "decoder": "transparency/decoder.safetensors",
}
"""Where each trained module lies in a model folder."""


def start_from(modules: Mapping[str, nn.Module], model: Path) -> None:
    """Load each module's weights from a model folder.

    FileNotFoundError names the first file that is missing.
    """
    for name, module in modules.items():
        file = model / WEIGHT_FILES[name]
        if not file.is_file():
            raise FileNotFoundError(f"{file} is missing; --start needs a whole model folder")
        weights = read_weights(file)
        module.load_state_dict({key: value.to(torch.float32) for key, value in weights.items()})
