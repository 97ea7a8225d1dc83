"""A network of a published class, read from the folder that its own library would write."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from transformers import PreTrainedModel

from acetate.models.component_files import variant_of, weight_files
from acetate.models.files import MALFORMED, damaged
from acetate.models.network_config import read_network_config
from acetate.models.safetensors_header import read_header
from acetate.pipelines.network_loading import META, filled, read_tensors


def read_network(kind: Any, folder: Path, dtype: torch.dtype, device: torch.device) -> Any:
    """A network of a published class, frozen, from its folder. Raises ModelMissing, ModelDamaged.

    `kind` is a class of diffusers or of transformers.
    """
    config = read_network_config(folder / "config.json")
    weights = weight_files(folder)
    for path in weights:
        read_header(path)
    own: dict[str, Any] = {"torch_dtype": dtype}
    if issubclass(cast("type", kind), PreTrainedModel):
        # Their library would obey choices of how to compute in the file.
        own = {"config": kind.config_class.from_dict(config), "dtype": dtype}
    try:
        network = kind.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, **variant_of(weights[0]), **own
        )
    except (*MALFORMED, OSError, RuntimeError) as error:
        raise damaged(weights[0]) from error
    return network.eval().requires_grad_(False).to(device)


def network_on_meta(kind: Any, folder: Path) -> Any:
    """The same of a class of diffusers without numbers, if its tensors are those that it needs.

    Raises Unfit, ModelMissing or ModelDamaged.
    """
    config = read_network_config(folder / "config.json")
    state = read_tensors(weight_files(folder), META)
    return filled(lambda: kind(**kind.extract_init_dict(config)[0]), state, torch.float32, META)
