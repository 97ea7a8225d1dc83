"""Stable Diffusion XL with LayerDiffuse: layers follow from one another in stages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor
from transformers.models.clip.modeling_clip import CLIPTextModel, CLIPTextModelWithProjection

from acetate.adapters import WeightPatch
from acetate.errors import BadRequest
from acetate.pipelines.conditioning import PromptEmbedding
from acetate.pipelines.pipeline import Composition, Patch
from acetate.pipelines.prompt_tokens import tokens_of
from acetate.pipelines.stable_diffusion import StableDiffusionPipeline

_TEXT = {
    "attention": (
        "layer_xl_transparent_attn",
        "ld_diffusers_sdxl_attn",
        "diffuser_layer_xl_transparent_attn",
    ),
    "convolution": (
        "layer_xl_transparent_conv",
        "ld_diffusers_sdxl_conv",
        "diffuser_layer_xl_transparent_conv",
    ),
}
_STAGES = ("fg2ble", "bg2ble", "fgble2bg", "bgble2fg")


class SdxlPipeline(StableDiffusionPipeline):
    """Any checkpoint of the SDXL family.

    `variant` says which weights the published patch for single layers changes: "attention" keeps
    the style of the base, "convolution" its understanding of prompts.
    """

    family: ClassVar[str] = "sdxl"
    composition: Composition = "staged"

    encoders = {"": CLIPTextModel, "_2": CLIPTextModelWithProjection}
    pair_files = (
        ("vae_transparent_encoder", "ld_diffusers_sdxl_vae_transparent_encoder"),
        ("vae_transparent_decoder", "ld_diffusers_sdxl_vae_transparent_decoder"),
    )
    variant: str = "attention"

    def embed(self, prompts: Sequence[str], negative_prompts: Sequence[str]) -> PromptEmbedding:
        states: list[Tensor] = []
        pooled = torch.empty(0)
        texts = [*prompts, *negative_prompts]
        both = zip(self.tokenizers, self.text_encoders, strict=True)
        for which, (tokenizer, encoder) in enumerate(both):
            read = tokens_of(tokenizer, texts, self.vocabulary)
            flat = read.flat.to(self.device)
            with self.vocabulary.taught(encoder, which, flat) as ids:
                output = encoder(ids, output_hidden_states=True)
            layer = output.hidden_states[-2]
            states.append(read.weighted(layer))
            if hasattr(output, "text_embeds"):
                pooled = read.first(output.text_embeds)
        tokens = torch.cat(states, dim=-1)
        count = len(prompts)
        return PromptEmbedding(tokens[:count], tokens[count:], pooled[:count], pooled[count:])

    def read_beside(self, latent: Tensor, pooled: Tensor | None) -> dict[str, Tensor | None]:
        height, width = (side * self.latent_factor for side in latent.shape[-2:])
        sizes = torch.tensor([[height, width, 0, 0, height, width]], device=latent.device)
        return {"text_embeds": pooled, "time_ids": sizes.expand(len(latent), -1)}

    def patch_files(self, task: str) -> tuple[str, ...]:
        if task == "text":
            return _TEXT[self.variant]
        if task not in _STAGES:
            raise BadRequest(f"Stable Diffusion XL has no transparency weights for “{task}”.")
        return (f"layer_xl_{task}", f"diffuser_layer_xl_{task}")

    def read_patch(self, file: dict[str, Tensor]) -> Patch:
        return WeightPatch.read(file, self.denoiser)
