"""The components of a folder of Qwen-Image-2.1, as diffusers writes it."""

from __future__ import annotations

from typing import Any, cast

from diffusers.models.autoencoders.autoencoder_kl_qwenimage21 import AutoencoderKLQwenImage21
from diffusers.models.transformers.transformer_qwenimage21 import QwenImage21Transformer2DModel
from transformers import Qwen3VLForConditionalGeneration

from acetate.pipelines.folder_components import FolderComponents


class Components(FolderComponents):
    """See FolderComponents."""

    networks = {
        "transformer": QwenImage21Transformer2DModel,
        "vae": AutoencoderKLQwenImage21,
        "text_encoder": Qwen3VLForConditionalGeneration,
    }
    tokenizers = ("processor", "tokenizer")

    @property
    def sample_sigmas(self) -> list[float]:
        """The noise levels that its authors made it for; empty where any number of steps goes."""
        levels = self.said("sample_sigmas")
        if not isinstance(levels, list):
            return []
        return [float(level) for level in cast("list[Any]", levels)]
