"""Stable Diffusion 1.5 with LayerDiffuse: layers share attention."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor
from transformers.models.clip.modeling_clip import CLIPTextModel
from transformers.models.clip.tokenization_clip import CLIPTokenizer

from acetate.conditioning import AttentionSharing
from acetate.errors import BadRequest
from acetate.models.weights import read_config
from acetate.pipelines.pipeline import Composition, Patch, PromptEmbedding
from acetate.pipelines.stable_diffusion import (
    StableDiffusionPipeline,
    load_autoencoder,
    load_denoiser,
    load_text_encoder,
    load_tokenizer,
    precision,
    tokenized,
    weights_in,
)
from acetate.pipelines.transparency import Locate, load_pair

_PATCHES = {
    "text": ("layer_sd15_transparent_attn",),
    "joint": ("layer_sd15_joint",),
    "fg2bg": ("layer_sd15_fg2bg",),
    "bg2fg": ("layer_sd15_bg2fg",),
}


class Sd15Pipeline(StableDiffusionPipeline):
    """Any checkpoint of the SD 1.5 family in diffusers' folder layout."""

    family: ClassVar[str] = "sd15"
    composition: ClassVar[Composition] = "shared"

    text_encoder: Any
    tokenizer: CLIPTokenizer

    @classmethod
    def from_folder(
        cls, folder: Path, device: torch.device, model: str, locate: Locate
    ) -> Sd15Pipeline:
        """Read the folder. Raises ModelMissing or ModelDamaged naming a file."""
        dtype, vae_dtype = precision(device)
        pipeline = cls(
            load_autoencoder(folder, vae_dtype, device),
            load_denoiser(folder, dtype, device),
            load_pair(
                locate,
                ["layer_sd15_vae_transparent_encoder"],
                ["layer_sd15_vae_transparent_decoder"],
                device,
                vae_dtype,
            ),
            scheduler_config=read_config(folder / "scheduler" / "scheduler_config.json"),
            locate=locate,
            weight_files=[weights_in(folder / part) for part in ("unet", "vae", "text_encoder")],
            model=model,
        )
        pipeline.tokenizer = load_tokenizer(folder / "tokenizer")
        pipeline.text_encoder = load_text_encoder(
            CLIPTextModel, folder / "text_encoder", dtype, device
        )
        return pipeline

    @torch.inference_mode()
    def encode_prompt(
        self, prompts: Sequence[str], negative_prompts: Sequence[str]
    ) -> PromptEmbedding:
        chunks = torch.tensor(tokenized(self.tokenizer, [*prompts, *negative_prompts]))
        states = self.text_encoder(chunks.flatten(0, 1).to(self.device)).last_hidden_state
        states = states.unflatten(0, chunks.shape[:2]).flatten(1, 2)
        return PromptEmbedding(states[: len(prompts)], states[len(prompts) :])

    def predict(
        self,
        latent: Tensor,
        timestep: Tensor,
        tokens: Tensor,
        pooled: Tensor | None,
        condition: Tensor | None,
    ) -> Tensor:
        return self.unet(latent.to(self.dtype), timestep, tokens, return_dict=False)[0]

    def patch_files(self, task: str) -> tuple[str, ...]:
        if task not in _PATCHES:
            raise BadRequest(f"Stable Diffusion 1.5 has no transparency weights for “{task}”.")
        return _PATCHES[task]

    def read_patch(self, file: dict[str, Tensor]) -> Patch:
        return AttentionSharing.read(file, self.denoiser)
