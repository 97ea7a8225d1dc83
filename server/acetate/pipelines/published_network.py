"""A network of a published class, read from the folder that its own library would write."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from transformers import Qwen3Config

from acetate.models.component_files import variant_of, weight_files
from acetate.models.files import MALFORMED, damaged
from acetate.models.network_config import read_network_config
from acetate.models.safetensors_header import read_header

_TEXT = "Qwen3ForCausalLM"
"""Of transformers, all others are of diffusers."""


def read_network(kind: Any, folder: Path, dtype: torch.dtype, device: torch.device) -> Any:
    """A network of a published class from its folder. Raises ModelMissing or ModelDamaged."""
    config = read_network_config(folder / "config.json")
    weights = weight_files(folder)
    for path in weights:
        read_header(path)
    # A library of the two would obey choices of how to compute in the file.
    own: dict[str, Any] = (
        {"config": cast("Any", Qwen3Config).from_dict(config)} if kind.__name__ == _TEXT else {}
    )
    given = "dtype" if own else "torch_dtype"
    try:
        network = kind.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            **variant_of(weights[0]),
            **own,
            **{given: dtype},
        )
    except (*MALFORMED, OSError, RuntimeError) as error:
        raise damaged(weights[0]) from error
    return network.eval().requires_grad_(False).to(device)
