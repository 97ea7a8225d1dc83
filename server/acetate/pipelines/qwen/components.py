"""The components of a folder of Qwen-Image or Qwen-Image-Edit, as diffusers writes it."""

from __future__ import annotations

from diffusers.models.autoencoders.autoencoder_kl_qwenimage import AutoencoderKLQwenImage
from diffusers.models.transformers.transformer_qwenimage import QwenImageTransformer2DModel
from transformers import Qwen2_5_VLForConditionalGeneration

from acetate.pipelines.folder_components import FolderComponents

_EDITING = "QwenImageEditPlusPipeline"


class QwenBase(FolderComponents):
    """See FolderComponents."""

    networks = {
        "transformer": QwenImageTransformer2DModel,
        "vae": AutoencoderKLQwenImage,
        "text_encoder": Qwen2_5_VLForConditionalGeneration,
    }

    @property
    def edits(self) -> bool:
        """Whether it was made to change pictures that it looks at."""
        return self.said("_class_name") == _EDITING
