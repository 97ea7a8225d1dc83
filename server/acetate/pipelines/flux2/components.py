"""The components of a folder of FLUX.2 klein, as diffusers writes it."""

from __future__ import annotations

from diffusers.models.autoencoders.autoencoder_kl_flux2 import AutoencoderKLFlux2
from diffusers.models.transformers.transformer_flux2 import Flux2Transformer2DModel
from transformers import Qwen3ForCausalLM

from acetate.pipelines.folder_components import FolderComponents


class Flux2Base(FolderComponents):
    """See FolderComponents."""

    networks = {
        "transformer": Flux2Transformer2DModel,
        "vae": AutoencoderKLFlux2,
        "text_encoder": Qwen3ForCausalLM,
    }

    @property
    def distilled(self) -> bool:
        """Whether it was distilled to few steps without guidance, as its folder says."""
        return bool(self.said("is_distilled"))
