"""Stable Diffusion 1.5 with LayerDiffuse: layers share attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor
from transformers.models.clip.modeling_clip import CLIPTextModel

from acetate.adapters import AttentionSharing, WeightPatch
from acetate.adapters.transparency_patch_file import INPUT
from acetate.errors import BadRequest
from acetate.pipelines.conditioning import PromptEmbedding
from acetate.pipelines.pipeline import Composition, Patch
from acetate.pipelines.prompt_tokens import tokens_of
from acetate.pipelines.stable_diffusion import StableDiffusionPipeline

RELIGHT = "harmonize"
"""Changes every weight and takes two pictures beside the noisy one: layer and what is beneath."""

_PATCHES = {
    "text": ("layer_sd15_transparent_attn",),
    "joint": ("layer_sd15_joint",),
    "fg2bg": ("layer_sd15_fg2bg",),
    "bg2fg": ("layer_sd15_bg2fg",),
    RELIGHT: ("iclight_sd15_fbc",),
}


class Sd15Pipeline(StableDiffusionPipeline):
    """Any checkpoint of the SD 1.5 family."""

    family: ClassVar[str] = "sd15"
    composition: Composition = "shared"

    encoders = {"": CLIPTextModel}
    pair_files = (
        ("layer_sd15_vae_transparent_encoder",),
        ("layer_sd15_vae_transparent_decoder",),
    )

    def embed(self, prompts: Sequence[str], negative_prompts: Sequence[str]) -> PromptEmbedding:
        texts = [*prompts, *negative_prompts]
        tokens = tokens_of(self.tokenizers[0], texts, self.vocabulary)
        encoder = self.text_encoders[0]
        with self.vocabulary.taught(encoder, 0, tokens.flat.to(self.device)) as ids:
            states = tokens.weighted(encoder(ids).last_hidden_state)
        return PromptEmbedding(states[: len(prompts)], states[len(prompts) :])

    def patch_files(self, task: str) -> tuple[str, ...]:
        if task not in _PATCHES:
            raise BadRequest(f"Stable Diffusion 1.5 has no transparency weights for “{task}”.")
        if task == RELIGHT and self.fills:
            raise BadRequest(
                f"The model “{self.model}” was made to fill holes and cannot relight a layer: "
                "take the ordinary base of the same name."
            )
        return _PATCHES[task]

    def read_patch(self, file: dict[str, Tensor]) -> Patch:
        if INPUT in file:
            return WeightPatch.read(file, self.denoiser)
        patch = AttentionSharing.read(file, self.denoiser)
        # The denoiser may wait outside; the patch is not one of its parts, so it stays inside.
        for network in (*patch.units.values(), patch.control):
            if network is not None:
                network.to(self.device)
        return patch
