"""A widened autoencoder as an RGBA adapter; see `docs/rgba-adapters.md` for the folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]  # Its paths.

from acetate.training.conversion.widened_stage import WidenedStage
from acetate.training.whole_files import text_written_whole, written_whole

ADAPTER = "adapter.json"


def write_widened(folder: Path, family: str, base: str, stage: WidenedStage) -> list[Path]:
    """Write the autoencoder and what the folder is; returns the files. Raises CannotWrite."""
    network: Any = stage.autoencoder
    config = {name: value for name, value in network.config.items() if name != "_name_or_path"} | {
        "_class_name": type(network).__name__
    }
    state = {
        name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()
    }
    about = {
        "format": "rgba-adapter",
        "version": 1,
        "family": family,
        "base": base,
        "alpha": "straight",
    }
    vae = folder / "vae"
    return [
        _write_json(folder / ADAPTER, about),
        _write_json(vae / "config.json", config),
        written_whole(
            vae / "diffusion_pytorch_model.safetensors",
            lambda part: save_file(state, part, metadata={"format": "pt"}),
        ),
    ]


def _write_json(file: Path, content: dict[str, Any]) -> Path:
    return text_written_whole(file, json.dumps(content, indent=2) + "\n")
