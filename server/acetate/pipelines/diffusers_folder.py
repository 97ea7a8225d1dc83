"""Where the components of a Stable Diffusion base come from: a folder of diffusers, for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor
from transformers.models.clip.configuration_clip import CLIPTextConfig
from transformers.models.clip.tokenization_clip import CLIPTokenizer

from acetate.models.component_files import loose_weight_files
from acetate.models.files import MALFORMED, damaged, existing, read_config
from acetate.models.network_config import read_network_config
from acetate.models.tokenizer_file import read_tokenizer
from acetate.pipelines.network_loading import (
    META,
    filled,
    fitting,
    of_the_tower,
    of_todays_attention,
    read_tensors,
)


class Base(Protocol):
    """A base on the disk. Components come frozen, in the asked type, on the asked device.

    `part` is "" for the first text encoder and its tokenizer, "_2" for SDXL's second. All raise
    ModelMissing or ModelDamaged naming a file.
    """

    @property
    def files(self) -> Mapping[str, Path]:
        """Every file that the components are made of, by a name that is the same everywhere."""
        ...

    @property
    def weights(self) -> list[Path]:
        """Those of them that hold weights."""
        ...

    def scheduler_config(self) -> dict[str, Any]: ...

    def denoiser(self, dtype: torch.dtype, device: torch.device) -> UNet2DConditionModel: ...

    def autoencoder(self, dtype: torch.dtype, device: torch.device) -> AutoencoderKL: ...

    def text_encoder(
        self, kind: Any, part: str, dtype: torch.dtype, device: torch.device
    ) -> Any: ...

    def tokenizer(self, part: str) -> CLIPTokenizer: ...


class FolderBase:
    """The folder layout of diffusers, whichever year's library wrote it.

    On META the networks have shapes and no weights.
    """

    def __init__(self, folder: Path, encoders: tuple[str, ...]) -> None:
        self._folder = folder
        self._networks = ["unet", "vae", *(f"text_encoder{part}" for part in encoders)]
        self._tokenizers = [f"tokenizer{part}" for part in encoders]

    @property
    def weights(self) -> list[Path]:
        return [path for part in self._networks for path in self._weights_of(part)]

    @property
    def files(self) -> dict[str, Path]:
        folder = self._folder
        parts = [part for part in self._networks if (folder / part).is_dir()]
        paths = [*self.weights, *(folder / part / "config.json" for part in parts)]
        paths.append(folder / "scheduler" / "scheduler_config.json")
        names = ("vocab.json", "merges.txt", "tokenizer_config.json", "tokenizer.json")
        candidates = [folder / part / name for part in self._tokenizers for name in names]
        paths += [path for path in candidates if path.is_file()]
        return {path.relative_to(folder).as_posix(): path for path in paths}

    def scheduler_config(self) -> dict[str, Any]:
        return read_config(self._folder / "scheduler" / "scheduler_config.json")

    def denoiser(self, dtype: torch.dtype, device: torch.device) -> UNet2DConditionModel:
        return self._network(UNet2DConditionModel, "unet", dtype, device, dict)

    def autoencoder(self, dtype: torch.dtype, device: torch.device) -> AutoencoderKL:
        return self._network(AutoencoderKL, "vae", dtype, device, of_todays_attention)

    def text_encoder(self, kind: Any, part: str, dtype: torch.dtype, device: torch.device) -> Any:
        folder = self._folder / f"text_encoder{part}"
        path = folder / "config.json"
        own = read_network_config(path)
        try:
            config: CLIPTextConfig = cast("Any", CLIPTextConfig).from_dict(own)
            with torch.device("meta"):
                expected = list(kind(config).state_dict())
        except (*MALFORMED, RuntimeError) as error:
            raise damaged(path) from error
        state = of_the_tower(self._tensors(folder, device), expected)
        with fitting(folder):
            return filled(lambda: kind(config), state, dtype, device)

    def tokenizer(self, part: str) -> CLIPTokenizer:
        return read_clip_tokenizer(self._folder / f"tokenizer{part}")

    def _weights_of(self, part: str) -> list[Path]:
        return loose_weight_files(self._folder / part) if (self._folder / part).is_dir() else []

    def _network(
        self,
        kind: Any,
        name: str,
        dtype: torch.dtype,
        device: torch.device,
        named_today: Callable[[dict[str, Tensor]], dict[str, Tensor]],
    ) -> Any:
        folder = self._folder / name
        config = read_network_config(folder / "config.json")
        state = named_today(self._tensors(folder, device))
        with fitting(folder):
            return filled(lambda: _configured(kind, config), state, dtype, device)

    def _tensors(self, folder: Path, device: torch.device) -> dict[str, Tensor]:
        home = META if device == META else torch.device("cpu")
        return read_tensors(loose_weight_files(folder), home)


def _configured(kind: Any, config: dict[str, Any]) -> Any:
    known = kind.extract_init_dict(config)[0]
    return kind(**known)


def read_clip_tokenizer(folder: Path) -> CLIPTokenizer:
    """A CLIP tokenizer in either of the forms that libraries write. Raises ModelMissing/Damaged."""
    # Today's library writes one file; those before it, two.
    whole = folder / "tokenizer.json"
    path = whole if whole.is_file() else existing(folder / "vocab.json")
    kind = cast("Any", CLIPTokenizer)  # It leaves open what a path is.
    return read_tokenizer(path, lambda: kind.from_pretrained(folder, local_files_only=True))
