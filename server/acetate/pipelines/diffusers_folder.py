"""Where the components of a Stable Diffusion base come from: a folder of diffusers, for one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from transformers.models.clip.tokenization_clip import CLIPTokenizer
from transformers.utils.logging import disable_progress_bar

from acetate.models.files import damaged, existing, read_config


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
    """The folder layout of diffusers; half-precision weight files are taken where they are."""

    def __init__(self, folder: Path, encoders: tuple[str, ...]) -> None:
        self._folder = folder
        self._networks = ["unet", "vae", *(f"text_encoder{part}" for part in encoders)]
        self._tokenizers = [f"tokenizer{part}" for part in encoders]

    @property
    def weights(self) -> list[Path]:
        return [weights_in(self._folder / part) for part in self._networks]

    @property
    def files(self) -> dict[str, Path]:
        folder = self._folder
        paths = [*self.weights, *(folder / part / "config.json" for part in self._networks)]
        paths.append(folder / "scheduler" / "scheduler_config.json")
        names = ("vocab.json", "merges.txt", "tokenizer_config.json", "tokenizer.json")
        candidates = [folder / part / name for part in self._tokenizers for name in names]
        paths += [path for path in candidates if path.is_file()]
        return {path.relative_to(folder).as_posix(): path for path in paths}

    def scheduler_config(self) -> dict[str, Any]:
        return read_config(self._folder / "scheduler" / "scheduler_config.json")

    def denoiser(self, dtype: torch.dtype, device: torch.device) -> UNet2DConditionModel:
        return self._network(UNet2DConditionModel, "unet", dtype, device)

    def autoencoder(self, dtype: torch.dtype, device: torch.device) -> AutoencoderKL:
        return self._network(AutoencoderKL, "vae", dtype, device)

    def text_encoder(self, kind: Any, part: str, dtype: torch.dtype, device: torch.device) -> Any:
        folder = self._folder / f"text_encoder{part}"
        read_config(folder / "config.json")
        path = weights_in(folder)
        # Its bar would stand among our own sentences.
        disable_progress_bar()
        try:
            encoder = kind.from_pretrained(
                folder, dtype=dtype, local_files_only=True, use_safetensors=True, **_variant(path)
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise damaged(path) from error
        return encoder.eval().requires_grad_(False).to(device)

    def tokenizer(self, part: str) -> CLIPTokenizer:
        folder = self._folder / f"tokenizer{part}"
        existing(folder / "vocab.json")
        try:
            return CLIPTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError) as error:
            raise damaged(folder / "vocab.json") from error

    def _network(self, kind: Any, name: str, dtype: torch.dtype, device: torch.device) -> Any:
        folder = self._folder / name
        read_config(folder / "config.json")
        path = weights_in(folder)
        try:
            network = kind.from_pretrained(
                folder,
                torch_dtype=dtype,
                local_files_only=True,
                use_safetensors=True,
                **_variant(path),
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise damaged(path) from error
        return network.eval().requires_grad_(False).to(device)


def weights_in(folder: Path) -> Path:
    """The weight file of a component: half precision where it is, else the full one."""
    for stem in ("diffusion_pytorch_model", "model"):
        for ending in (".fp16.safetensors", ".safetensors"):
            if (path := folder / f"{stem}{ending}").is_file():
                return path
    return existing(folder / "diffusion_pytorch_model.safetensors")


def _variant(path: Path) -> dict[str, str]:
    return {"variant": "fp16"} if path.name.endswith(".fp16.safetensors") else {}
