"""A denoiser of Qwen-Image in one file, over a folder that gives all else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers.models.transformers.transformer_qwenimage import QwenImageTransformer2DModel

from acetate.errors import ModelDamaged
from acetate.models.network_config import read_network_config
from acetate.models.registry import model_named
from acetate.pipelines.base_sources import place_of
from acetate.pipelines.network_loading import META, Unfit, filled, read_tensors
from acetate.pipelines.qwen.components import QwenBase

_CPU = torch.device("cpu")
_PREFIXES = ("model.diffusion_model.", "diffusion_model.", "transformer.")


class QwenFile(QwenBase):
    """`folder` is the folder of diffusers whose other parts it is painted with."""

    stored = ("vae", "text_encoder")

    def __init__(self, path: Path, folder: Path) -> None:
        super().__init__(folder)
        self._path = path

    @property
    def weights(self) -> list[Path]:
        return [self._path, *super().weights]

    @property
    def files(self) -> dict[str, Path]:
        return {self._path.name: self._path, **super().files}

    def denoiser(self, dtype: torch.dtype, device: torch.device) -> Any:
        own = read_network_config(self.folder / "transformer" / "config.json")
        found = read_tensors([self._path], META if device == META else _CPU)
        prefixes = (each for each in _PREFIXES if any(name.startswith(each) for name in found))
        prefix = next(prefixes, "")
        state = {name.removeprefix(prefix): tensor for name, tensor in found.items()}
        blocks = {name.split(".")[1] for name in state if name.startswith("transformer_blocks.")}
        kind: Any = QwenImageTransformer2DModel
        try:
            known = kind.extract_init_dict(own | {"num_layers": len(blocks)})[0]
            return filled(lambda: kind(**known), state, dtype, device)
        except Unfit as error:
            raise ModelDamaged(f"{self._path.name} is no whole Qwen-Image: {error}.") from error

    def on_meta(self, part: str) -> Any:
        if part == "transformer":
            return self.denoiser(torch.float32, META)
        return super().on_meta(part)


def open_qwen(place: Path, supplied: Mapping[str, str]) -> QwenBase:
    """The base in a folder, or in a file whose other parts are supplied. Raises ModelMissing."""
    if place.is_dir():
        return QwenBase(place)
    source = next(iter(supplied.values()), "")
    return QwenFile(place, place_of(model_named(source.partition(":")[2])))
