"""The components of a folder of diffusers in which one language model reads the words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, cast

import torch
from transformers import Qwen2Tokenizer

from acetate.models.component_files import weight_files
from acetate.models.files import read_config
from acetate.models.tokenizer_file import read_tokenizer
from acetate.pipelines.published_network import network_on_meta, read_network


class FolderComponents:
    """Networks come frozen, in the asked type, on the asked device.

    All methods raise ModelMissing or ModelDamaged naming a file.
    """

    networks: ClassVar[Mapping[str, Any]]
    """The published classes by the folders of their weights: transformer, vae, text_encoder."""
    tokenizers: ClassVar[tuple[str, ...]] = ("tokenizer",)
    """Folders in which the tokenizer may lie, the first of them that is there."""

    stored: ClassVar[tuple[str, ...]] = ("transformer", "vae", "text_encoder")
    """Networks whose weights lie in the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def weights(self) -> list[Path]:
        """The files that hold weights."""
        return self._stored_weights()

    @property
    def files(self) -> dict[str, Path]:
        """Every file that the components are made of, by a name that is the same everywhere."""
        small = [*self.folder.glob("*/*.json"), *self._words().glob("*.txt")]
        paths = [*self._stored_weights(), self.folder / "model_index.json", *small]
        return {path.relative_to(self.folder).as_posix(): path for path in sorted(set(paths))}

    def _stored_weights(self) -> list[Path]:
        return [path for part in self.stored for path in weight_files(self.folder / part)]

    def said(self, name: str) -> Any:
        """What the folder says of itself under that name; None where it does not."""
        return read_config(self.folder / "model_index.json").get(name)

    def config(self, part: str) -> dict[str, Any]:
        """The configuration of a part."""
        return read_config(self.folder / part / "config.json")

    def scheduler_config(self) -> dict[str, Any]:
        return read_config(self.folder / "scheduler" / "scheduler_config.json")

    def tokenizer(self) -> Qwen2Tokenizer:
        folder = self._words()
        whole = folder / "tokenizer.json"
        return read_tokenizer(
            whole if whole.is_file() else folder / "vocab.json",
            lambda: cast("Any", Qwen2Tokenizer).from_pretrained(folder, local_files_only=True),
        )

    def denoiser(self, dtype: torch.dtype, device: torch.device) -> Any:
        return self._network("transformer", dtype, device)

    def autoencoder(self, dtype: torch.dtype, device: torch.device) -> Any:
        return self._network("vae", dtype, device)

    def text_encoder(self, dtype: torch.dtype, device: torch.device) -> Any:
        """The language model without its last layer, which only writes text."""
        return self._network("text_encoder", dtype, device).model

    def on_meta(self, part: str) -> Any:
        """A network of diffusers without numbers. Raises Unfit where its tensors are others."""
        return network_on_meta(self.networks[part], self.folder / part)

    def _network(self, part: str, dtype: torch.dtype, device: torch.device) -> Any:
        return read_network(self.networks[part], self.folder / part, dtype, device)

    def _words(self) -> Path:
        folders = [self.folder / name for name in self.tokenizers]
        return next((folder for folder in folders if folder.is_dir()), folders[-1])
