"""The components of a folder of FLUX.2 klein, as diffusers writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from diffusers.models.autoencoders.autoencoder_kl_flux2 import AutoencoderKLFlux2
from diffusers.models.transformers.transformer_flux2 import Flux2Transformer2DModel
from transformers import Qwen2Tokenizer, Qwen3ForCausalLM

from acetate.models.component_files import weight_files
from acetate.models.files import read_config
from acetate.models.tokenizer_file import read_tokenizer
from acetate.pipelines.published_network import read_network

NETWORKS: dict[str, Any] = {
    "transformer": Flux2Transformer2DModel,
    "vae": AutoencoderKLFlux2,
    "text_encoder": Qwen3ForCausalLM,
}
"""The published classes by the folders of their weights."""


class Flux2Base:
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
        small = [*self._folder.glob("*/*.json"), *self._folder.glob("tokenizer/*.txt")]
        paths = [*self.weights, self._folder / "model_index.json", *small]
        return {path.relative_to(self._folder).as_posix(): path for path in sorted(set(paths))}

    @property
    def distilled(self) -> bool:
        """Whether it was distilled to few steps without guidance, as its folder says."""
        return bool(read_config(self._folder / "model_index.json").get("is_distilled"))

    def scheduler_config(self) -> dict[str, Any]:
        return read_config(self._folder / "scheduler" / "scheduler_config.json")

    def tokenizer(self) -> Qwen2Tokenizer:
        folder = self._folder / "tokenizer"
        whole = folder / "tokenizer.json"
        return read_tokenizer(
            whole if whole.is_file() else folder / "vocab.json",
            lambda: cast("Any", Qwen2Tokenizer).from_pretrained(folder, local_files_only=True),
        )

    def denoiser(self, dtype: torch.dtype, device: torch.device) -> Flux2Transformer2DModel:
        return read_network(NETWORKS["transformer"], self._folder / "transformer", dtype, device)

    def autoencoder(self, dtype: torch.dtype, device: torch.device) -> AutoencoderKLFlux2:
        return read_network(NETWORKS["vae"], self._folder / "vae", dtype, device)

    def text_encoder(self, dtype: torch.dtype, device: torch.device) -> Any:
        """Qwen3 without its last layer, which only writes text."""
        folder = self._folder / "text_encoder"
        return read_network(NETWORKS["text_encoder"], folder, dtype, device).model
