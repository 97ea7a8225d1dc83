"""Qwen-Image: words, and of Edit also pictures, are painted; layers with an RGBA adapter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from acetate.errors import BadRequest
from acetate.models.rgba_adapter import RgbaAdapter
from acetate.pipelines.conditioning import ReferredPrompt
from acetate.pipelines.instructed_pipeline import InstructedPipeline
from acetate.pipelines.memory_ladder import eased
from acetate.pipelines.pipeline import Patch
from acetate.pipelines.qwen.components import QwenBase
from acetate.pipelines.qwen.denoising import PackedFlow, guided_evenly, velocity
from acetate.pipelines.qwen.prompts import Reading, image_slots, read

WORDS = {False: 512, True: 4096}
"""Tokens of a prompt that the denoiser is handed; of Edit those of pictures are among them."""

_LOOKING = ("background", "foreground", "extract", "behind")
"""Tasks for which a model has to look at pictures."""


class QwenPipeline(InstructedPipeline):
    """Scaled latents are the autoencoder's, normalised, with 2 × 2 places in one."""

    family: ClassVar[str] = "qwen"
    components = QwenBase
    flow = PackedFlow
    packing = 2
    films = True
    most_references = 3

    def __init__(
        self,
        base: QwenBase,
        device: torch.device,
        model: str,
        adapter: RgbaAdapter | None = None,
    ) -> None:
        super().__init__(base, device, model, adapter)
        self.edits = base.edits
        if not self.edits:
            self.composition = "direct"
        config = self.vae.config
        self.latent_channels = 4 * config["z_dim"]
        self.latent_factor = 2 * 2 ** len(config["temperal_downsample"])
        self._mean, self._deviation = self._told_scales()
        self._settle()

    def patch_for(self, mode: str) -> Patch | None:
        if mode in _LOOKING and not self.edits:
            raise BadRequest(
                f"The model “{self.model}” paints from words alone and looks at no picture.",
                "Take an RGBA adapter on Qwen-Image-Edit for that.",
            )
        return self.needed_patch()

    @eased
    @torch.inference_mode()
    def encode_instruction(
        self, instruction: str, negative_prompt: str, pictures: Sequence[Tensor]
    ) -> ReferredPrompt:
        self.check_references(pictures)
        words, avoided = (
            self._embed(read(prompt, pictures, edits=self.edits))
            for prompt in (instruction, negative_prompt)
        )
        references = tuple(self.encode_layer(picture) for picture in pictures)
        return ReferredPrompt(words, avoided, references=references)

    def _embed(self, reading: Reading) -> Tensor:
        """States [1, T, D] of the tokens after the system's words."""
        most = WORDS[self.edits]
        ids = torch.tensor([self.tokenizer(reading.text)["input_ids"]], device=self.device)
        seen: dict[str, Any] = {}
        if reading.patches is not None and reading.grids is not None:
            seen["pixel_values"] = reading.patches.to(self.device, self.dtype)
            seen["image_grid_thw"] = reading.grids.to(self.device)
            seen["mm_token_type_ids"] = image_slots(ids, self.text_encoder.config.image_token_id)
        else:
            ids = ids[:, : 1024 + reading.skipped]
        states = self.text_encoder(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            output_hidden_states=True,
            use_cache=False,
            **seen,
        ).hidden_states[-1]
        return states[:, reading.skipped :][:, :most]

    def _velocity(
        self, latent: Tensor, timestep: Tensor, words: Tensor, references: Sequence[Tensor]
    ) -> Tensor:
        return velocity(self.transformer, latent, timestep, words, references)

    def _away(self, wanted: Tensor, avoided: Tensor, guidance: float) -> Tensor:
        return guided_evenly(wanted, avoided, guidance)

    def _scaled(self, latent: Tensor) -> Tensor:
        return pixel_unshuffle(super()._scaled(latent), self.packing)

    def _unscaled(self, latent: Tensor) -> Tensor:
        return super()._unscaled(pixel_shuffle(latent, self.packing))
