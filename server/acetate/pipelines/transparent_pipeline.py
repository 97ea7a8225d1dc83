"""A pipeline of an autoencoder, and of a way in which its latents hold layers."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor

from acetate.adapters import WeightPatch
from acetate.models.rgba_adapter import RgbaAdapter
from acetate.pipelines.memory_ladder import eased
from acetate.pipelines.offloaded_pipeline import OffloadedPipeline
from acetate.pipelines.rgba_adapter import lora_of, transparency_of
from acetate.pipelines.transparency import Transparency


class TransparentPipeline(OffloadedPipeline):
    """Layers by an RGBA adapter, by a pair of networks, or by the autoencoder itself."""

    films: ClassVar[bool] = False
    """Whether its autoencoder is one of films, for which a picture is a film of one."""

    vae: Any
    adapter: RgbaAdapter | None
    transparency: Transparency
    _learnt: WeightPatch | None
    _chunk_pixels: int = 0

    def _read_networks(
        self,
        base: Any,
        transparency: Transparency | RgbaAdapter,
        home: torch.device,
        dtype: torch.dtype,
        vae_dtype: torch.dtype,
    ) -> None:
        """Autoencoder and denoiser of a base, and what they learnt beside its own."""
        self.vae = base.autoencoder(vae_dtype, home)
        self.denoiser = base.denoiser(dtype, home)
        self.adapter = transparency if isinstance(transparency, RgbaAdapter) else None
        self.transparency = (
            transparency_of(transparency, self.vae)
            if isinstance(transparency, RgbaAdapter)
            else transparency
        )
        self._learnt = lora_of(self.adapter, self.denoiser)

    def layer_words(self, prompt: str) -> str:
        return prompt if self.adapter is None else self.adapter.words(prompt)

    @eased
    @torch.inference_mode()
    def encode_image(self, rgb: Tensor) -> Tensor:
        return self._scaled(self._moments(self.transparency.picture(rgb))[0])

    @eased
    @torch.inference_mode()
    def encode_layer(self, rgba: Tensor) -> Tensor:
        return self._scaled(self.transparency.encode(rgba.to(self.device), self._moments))

    @eased
    @torch.inference_mode()
    def decode_image(self, latent: Tensor) -> Tensor:
        return self._decode(self._unscaled(latent))[:, :3].clamp(0, 1)

    @eased
    @torch.inference_mode()
    def decode_layer(self, latent: Tensor, passes: int) -> Tensor:
        unscaled = self._unscaled(latent)
        pixels = self._decode(unscaled)
        return self.transparency.decode(pixels, unscaled, passes, self._chunk_pixels)

    @abstractmethod
    def _scaled(self, latent: Tensor) -> Tensor:
        """What the autoencoder gave, as the denoiser works with it."""

    @abstractmethod
    def _unscaled(self, latent: Tensor) -> Tensor:
        """The way back."""

    def _moments(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        seen = picture.to(self.device, self.vae.dtype) * 2 - 1
        posterior = self.vae.encode(seen[:, :, None] if self.films else seen).latent_dist
        mean, deviation = posterior.mean.float(), posterior.std.float()
        return (mean[:, :, 0], deviation[:, :, 0]) if self.films else (mean, deviation)

    def _decode(self, unscaled: Tensor) -> Tensor:
        """Not clipped, as some families' transparent decoders were trained."""
        latent = unscaled.to(self.device, self.vae.dtype)
        pixels = self.vae.decode(latent[:, :, None] if self.films else latent, return_dict=False)[0]
        return (pixels[:, :, 0] if self.films else pixels).float() * 0.5 + 0.5
