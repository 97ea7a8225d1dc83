"""A base with parts of its own, and the parts that it lacks taken from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor
from transformers.models.clip.tokenization_clip import CLIPTokenizer

from acetate.errors import ModelDamaged
from acetate.models.base_inventory import AUTOENCODER, FIRST, SECOND
from acetate.models.files import MALFORMED
from acetate.pipelines.autoencoder_weights import make_autoencoder
from acetate.pipelines.clip import clip_tokenizer
from acetate.pipelines.diffusers_folder import Base
from acetate.pipelines.network_loading import META, Unfit, read_tensors
from acetate.pipelines.single_file import make_text_encoder


class SuppliedBase:
    """A base whose `parts` come from other bases or files: “autoencoder”, “text_encoder”(`_2`)."""

    def __init__(self, base: Base, parts: Mapping[str, Base]) -> None:
        self._base = base
        self._parts = dict(parts)

    @property
    def files(self) -> dict[str, Path]:
        found = dict(self._base.files)
        for part, supplier in self._parts.items():
            found |= {f"{part}: {path.name}": path for path in supplier.weights}
        return found

    @property
    def weights(self) -> list[Path]:
        supplied = [path for supplier in self._parts.values() for path in supplier.weights]
        return list(dict.fromkeys([*self._base.weights, *supplied]))

    def scheduler_config(self) -> dict[str, Any]:
        return self._base.scheduler_config()

    def denoiser(self, dtype: torch.dtype, device: torch.device) -> UNet2DConditionModel:
        return self._base.denoiser(dtype, device)

    def autoencoder(self, dtype: torch.dtype, device: torch.device) -> AutoencoderKL:
        return self._parts.get("autoencoder", self._base).autoencoder(dtype, device)

    def text_encoder(self, kind: Any, part: str, dtype: torch.dtype, device: torch.device) -> Any:
        supplier = self._parts.get(f"text_encoder{part}", self._base)
        return supplier.text_encoder(kind, part, dtype, device)

    def tokenizer(self, part: str) -> CLIPTokenizer:
        return self._parts.get(f"text_encoder{part}", self._base).tokenizer(part)


class PartFile:
    """An autoencoder or a CLIP text encoder in a file of its own; it has nothing else to give."""

    def __init__(self, path: Path, family: str) -> None:
        self._path = path
        self._family = family

    @property
    def files(self) -> dict[str, Path]:
        return {self._path.name: self._path}

    @property
    def weights(self) -> list[Path]:
        return [self._path]

    def scheduler_config(self) -> dict[str, Any]:
        raise self._unfit("noise")

    def denoiser(self, dtype: torch.dtype, device: torch.device) -> UNet2DConditionModel:
        raise self._unfit("denoiser")

    def autoencoder(self, dtype: torch.dtype, device: torch.device) -> AutoencoderKL:
        try:
            state = self._tensors(device, (AUTOENCODER, "vae."))
            return make_autoencoder(state, self._family, dtype, device)
        except (Unfit, *MALFORMED) as error:
            raise self._unfit("autoencoder", error) from error

    def text_encoder(self, kind: Any, part: str, dtype: torch.dtype, device: torch.device) -> Any:
        prefix = (SECOND if part else FIRST)[self._family]
        try:
            return make_text_encoder(kind, self._tensors(device, (prefix,)), dtype, device)
        except (Unfit, *MALFORMED) as error:
            raise self._unfit("text encoder", error) from error

    def tokenizer(self, part: str) -> CLIPTokenizer:
        return clip_tokenizer("!") if part else clip_tokenizer()

    def _tensors(self, device: torch.device, prefixes: tuple[str, ...]) -> dict[str, Tensor]:
        state = read_tensors([self._path], META if device == META else torch.device("cpu"))
        state = {
            name: tensor
            for name, tensor in state.items()
            if not name.startswith(("loss.", "model_ema."))
        }
        for prefix in prefixes:
            if any(name.startswith(prefix) for name in state):
                return {
                    name.removeprefix(prefix): tensor
                    for name, tensor in state.items()
                    if name.startswith(prefix)
                }
        return state

    def _unfit(self, part: str, error: Exception | None = None) -> ModelDamaged:
        inside = f": {error}" if isinstance(error, Unfit) else ""
        return ModelDamaged(f"{self._path.name} has no {part} that Acetate can read{inside}.")
