"""The components of a folder of Qwen-Image-2.1, as diffusers writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from diffusers.models.autoencoders.autoencoder_kl_qwenimage21 import AutoencoderKLQwenImage21
from diffusers.models.transformers.transformer_qwenimage21 import QwenImage21Transformer2DModel
from transformers import Qwen2Tokenizer, Qwen3VLConfig, Qwen3VLForConditionalGeneration

from acetate.models.component_files import variant_of, weight_files
from acetate.models.files import MALFORMED, damaged, read_config
from acetate.models.network_config import read_network_config
from acetate.models.safetensors_header import read_header
from acetate.models.tokenizer_file import read_tokenizer

NETWORKS: dict[str, Any] = {
    "transformer": QwenImage21Transformer2DModel,
    "vae": AutoencoderKLQwenImage21,
    "text_encoder": Qwen3VLForConditionalGeneration,
}
"""The published classes by the folders of their weights."""


class Components:
    """Networks come frozen, in the asked type, on the asked device.

    All methods raise ModelMissing or ModelDamaged naming a file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def weights(self) -> list[Path]:
        """The files that hold weights."""
        return [path for part in NETWORKS for path in weight_files(self._folder / part)]

    @property
    def files(self) -> dict[str, Path]:
        """Every file that the components are made of, by a name that is the same everywhere."""
        small = [*self._folder.glob("*/*.json"), *self._folder.glob("processor/*.txt")]
        paths = [*self.weights, self._folder / "model_index.json", *small]
        return {path.relative_to(self._folder).as_posix(): path for path in sorted(set(paths))}

    @property
    def sample_sigmas(self) -> list[float]:
        """The noise levels that its authors made it for; empty where any number of steps goes."""
        levels = read_config(self._folder / "model_index.json").get("sample_sigmas")
        if not isinstance(levels, list):
            return []
        return [float(level) for level in cast("list[Any]", levels)]

    def scheduler_config(self) -> dict[str, Any]:
        return read_config(self._folder / "scheduler" / "scheduler_config.json")

    def tokenizer(self) -> Qwen2Tokenizer:
        folder = self._folder / "processor"
        if not folder.is_dir():
            folder = self._folder / "tokenizer"
        whole = folder / "tokenizer.json"
        return read_tokenizer(
            whole if whole.is_file() else folder / "vocab.json",
            lambda: cast("Any", Qwen2Tokenizer).from_pretrained(folder, local_files_only=True),
        )

    def denoiser(self, dtype: torch.dtype, device: torch.device) -> QwenImage21Transformer2DModel:
        return self._network("transformer", dtype, device)

    def autoencoder(self, dtype: torch.dtype, device: torch.device) -> AutoencoderKLQwenImage21:
        return self._network("vae", dtype, device)

    def text_encoder(self, dtype: torch.dtype, device: torch.device) -> Any:
        """Qwen3-VL without its last layer, which only writes text."""
        return self._network("text_encoder", dtype, device).model

    def _network(self, name: str, dtype: torch.dtype, device: torch.device) -> Any:
        folder = self._folder / name
        config = read_network_config(folder / "config.json")
        weights = weight_files(folder)
        for path in weights:
            read_header(path)
        # A library of the two would obey choices of how to compute in the file.
        own = (
            {"config": cast("Any", Qwen3VLConfig).from_dict(config)}
            if name == "text_encoder"
            else {}
        )
        try:
            network = NETWORKS[name].from_pretrained(
                folder,
                local_files_only=True,
                use_safetensors=True,
                dtype=dtype,
                **variant_of(weights[0]),
                **own,
            )
        except (*MALFORMED, OSError, RuntimeError) as error:
            raise damaged(weights[0]) from error
        return network.eval().requires_grad_(False).to(device)
