"""FLUX.2 klein: text and references in four steps, and layers with an RGBA adapter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from acetate.errors import BadRequest
from acetate.models.rgba_adapter import RgbaAdapter
from acetate.pipelines.conditioning import ReferredPrompt
from acetate.pipelines.flux2.components import Flux2Base
from acetate.pipelines.flux2.denoising import CountedFlow, velocity
from acetate.pipelines.instructed_pipeline import InstructedPipeline
from acetate.pipelines.memory_ladder import eased
from acetate.pipelines.pipeline import Patch, Told
from acetate.pipelines.style_fusing import fused_styles

WORDS = 512
"""Tokens of a prompt, in its frame, that the denoiser sees."""

HEARD = (9, 18, 27)
"""Layers of the text encoder whose states it sees, side by side."""

_FRAME = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
"""Around a prompt, as Qwen3's own template writes it when it is not to think aloud."""


class Flux2Pipeline(InstructedPipeline):
    """Scaled latents are the autoencoder's with 2 × 2 places in one, normalised as in training."""

    family: ClassVar[str] = "flux2"
    components = Flux2Base
    flow = CountedFlow
    packing = 2
    most_references = 4

    def __init__(
        self,
        base: Flux2Base,
        device: torch.device,
        model: str,
        adapter: RgbaAdapter | None = None,
    ) -> None:
        super().__init__(base, device, model, adapter)
        self.distilled = base.distilled
        config = self.vae.config
        self.latent_channels = 4 * config["latent_channels"]
        self.latent_factor = 2 * 2 ** (len(config["block_out_channels"]) - 1)
        norm = self.vae.bn
        self._mean = norm.running_mean[None, :, None, None].to(device)
        spread = norm.running_var[None, :, None, None].to(device)
        self._deviation = (spread + config["batch_norm_eps"]).sqrt()
        self._settle()

    def styled(
        self, styles: Sequence[tuple[Path, float]], told: Told = MappingProxyType({})
    ) -> AbstractContextManager[None]:
        return fused_styles(self, {"transformer": self.denoiser}, styles, told)

    def patch_for(self, mode: str) -> Patch | None:
        return self.needed_patch()

    @eased
    @torch.inference_mode()
    def encode_instruction(
        self, instruction: str, negative_prompt: str, pictures: Sequence[Tensor]
    ) -> ReferredPrompt:
        self.check_references(pictures)
        if self.distilled and negative_prompt.strip():
            raise BadRequest(
                f"The model “{self.model}” was distilled to one run a step, "
                "so it cannot be told what to avoid: leave that empty."
            )
        words = self._embed(re.sub(r"<image(\d+)>", r"image \1", instruction))
        avoided = words[:0] if self.distilled else self._embed(negative_prompt)
        references = tuple(self.encode_layer(picture) for picture in pictures)
        return ReferredPrompt(words, avoided, references=references)

    def _embed(self, prompt: str) -> Tensor:
        """States of a prompt's tokens, [1, 512, D], as the denoiser was trained on them."""
        read = self.tokenizer(
            _FRAME.format(prompt),
            padding="max_length",
            truncation=True,
            max_length=WORDS,
            return_tensors="pt",
        )
        states = self.text_encoder(
            input_ids=read["input_ids"].to(self.device),
            attention_mask=read["attention_mask"].to(self.device),
            output_hidden_states=True,
            use_cache=False,
        ).hidden_states
        return torch.cat([states[layer] for layer in HEARD], dim=-1)

    def _velocity(
        self, latent: Tensor, timestep: Tensor, words: Tensor, references: Sequence[Tensor]
    ) -> Tensor:
        return velocity(self.transformer, latent, timestep, words, references)

    def _scaled(self, latent: Tensor) -> Tensor:
        return super()._scaled(pixel_unshuffle(latent, self.packing))

    def _unscaled(self, latent: Tensor) -> Tensor:
        return pixel_shuffle(super()._unscaled(latent), self.packing)
