"""Bases that an RGBA adapter goes onto: which one a model names, and the two as one base."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.autoencoder_kl_flux2 import AutoencoderKLFlux2
from diffusers.models.autoencoders.autoencoder_kl_qwenimage import AutoencoderKLQwenImage

from acetate.errors import ModelMissing
from acetate.models.registry import model_named
from acetate.models.rgba_adapter import ADAPTER, ALPHA, RgbaAdapter, adapter_in, base_of
from acetate.pipelines.base_sources import place_of
from acetate.pipelines.family import ModelFiles
from acetate.pipelines.published_network import read_network

_Base = TypeVar("_Base")
AUTOENCODERS: dict[str, Any] = {"flux2": AutoencoderKLFlux2, "qwen": AutoencoderKLQwenImage}
"""The published classes of families whose autoencoder is not an AutoencoderKL."""


def base_and_adapter(files: ModelFiles) -> tuple[ModelFiles, RgbaAdapter | None]:
    """The files of the base of a model, and the adapter that goes onto it, if one does.

    Raises ModelMissing.
    """
    entry = files.entry
    if entry is None or ADAPTER not in entry.facts:
        return files, None
    adapter = adapter_in(files.place)
    if adapter is None:
        raise ModelMissing(f"The RGBA adapter at {files.place} is not there any more.")
    adapter = replace(adapter, alpha=adapter.alpha or str(entry.facts.get(ALPHA, "")))
    base = model_named(base_of(entry))
    return replace(files, place=place_of(base), entry=base), adapter


def adapted(base: _Base, adapter: RgbaAdapter | None) -> _Base:
    """The base itself, or one that gives the adapter's autoencoder in place of its own."""
    return base if adapter is None else cast("_Base", AdaptedBase(base, adapter))


class AdaptedBase:
    """A base of any family that gives the adapter's autoencoder where the adapter has one."""

    def __init__(self, base: Any, adapter: RgbaAdapter) -> None:
        self._base = base
        self._adapter = adapter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._base, name)

    @property
    def weights(self) -> list[Path]:
        return [*self._base.weights, *self._adapter.weights]

    @property
    def files(self) -> dict[str, Path]:
        return {**self._base.files, **self._adapter.files}

    def autoencoder(self, dtype: torch.dtype, device: torch.device) -> Any:
        """The one that layers are encoded and decoded with. Raises ModelMissing, ModelDamaged."""
        if self._adapter.vae is None:
            return self._base.autoencoder(dtype, device)
        kind = AUTOENCODERS.get(self._adapter.family, AutoencoderKL)
        return read_network(kind, self._adapter.vae, dtype, device)
