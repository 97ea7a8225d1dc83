"""Whether a folder holds the language model that its configuration describes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acetate.models.component_files import weight_files
from acetate.models.safetensors_header import read_header
from acetate.pipelines.rehearsing import unfit


def rehearse_language_model(folder: Path, config: Mapping[str, Any], name: str) -> None:
    """Look at the headers alone: its library would make up what is missing, and paint with that.

    `config` is that of the part that reads words. Raises NotRecognised, ModelMissing, ModelDamaged.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for path in weight_files(folder):
        shapes |= read_header(path).shapes
    for layer in range(config["num_hidden_layers"]):
        if not any(key.endswith(f"layers.{layer}.self_attn.q_proj.weight") for key in shapes):
            raise unfit(name, f"its text encoder lacks layer {layer + 1}")
    words = next((shapes[key] for key in shapes if key.endswith("embed_tokens.weight")), ())
    if words != (config["vocab_size"], config["hidden_size"]):
        raise unfit(name, "its text encoder is of another size than its configuration says")
