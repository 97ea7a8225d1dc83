"""The components of a FLUX.1 base, from a folder of diffusers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from tokenizers import Tokenizer
from transformers.models.clip.modeling_clip import CLIPTextModel
from transformers.models.clip.tokenization_clip import CLIPTokenizer
from transformers.models.t5.modeling_t5 import T5EncoderModel

from acetate.models.files import damaged, existing, read_config

_NETWORKS = ("transformer", "vae", "text_encoder", "text_encoder_2")


class FluxBase:
    """Networks come frozen, in the asked type, on the asked device; large ones are in shards.

    All methods raise ModelMissing or ModelDamaged naming a file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def weights(self) -> list[Path]:
        """The files that hold weights."""
        return [path for name in _NETWORKS for path in shards(self._folder / name)]

    @property
    def files(self) -> dict[str, Path]:
        """Every file that the components are made of, by a name that is the same everywhere."""
        folder = self._folder
        paths = [*self.weights, *(folder / name / "config.json" for name in _NETWORKS)]
        paths += [folder / "scheduler" / "scheduler_config.json"]
        paths += [folder / "tokenizer" / name for name in ("vocab.json", "merges.txt")]
        paths += [folder / "tokenizer_2" / "tokenizer.json"]
        return {path.relative_to(folder).as_posix(): path for path in paths}

    def scheduler_config(self) -> dict[str, Any]:
        return read_config(self._folder / "scheduler" / "scheduler_config.json")

    def denoiser(self, dtype: torch.dtype, device: torch.device) -> FluxTransformer2DModel:
        return self._network(FluxTransformer2DModel, "transformer", device, torch_dtype=dtype)

    def autoencoder(self, dtype: torch.dtype, device: torch.device) -> AutoencoderKL:
        return self._network(AutoencoderKL, "vae", device, torch_dtype=dtype)

    def pooled_encoder(self, dtype: torch.dtype, device: torch.device) -> CLIPTextModel:
        """CLIP, whose one state of a whole prompt modulates the denoiser."""
        return self._network(CLIPTextModel, "text_encoder", device, dtype=dtype)

    def token_encoder(self, dtype: torch.dtype, device: torch.device) -> T5EncoderModel:
        """T5, whose states of single words the denoiser attends to."""
        return self._network(T5EncoderModel, "text_encoder_2", device, dtype=dtype)

    def pooled_tokenizer(self) -> CLIPTokenizer:
        folder = self._folder / "tokenizer"
        existing(folder / "vocab.json")
        try:
            return CLIPTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError) as error:
            raise damaged(folder / "vocab.json") from error

    def token_tokenizer(self, length: int) -> Tokenizer:
        """Every prompt becomes exactly `length` tokens, as in training."""
        path = existing(self._folder / "tokenizer_2" / "tokenizer.json")
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # The library raises plain Exception for a broken file.
            raise damaged(path) from error
        tokenizer.enable_truncation(length)
        tokenizer.enable_padding(length=length, pad_id=tokenizer.token_to_id("<pad>") or 0)
        return tokenizer

    def _network(self, kind: Any, name: str, device: torch.device, **dtype: torch.dtype) -> Any:
        folder = self._folder / name
        read_config(folder / "config.json")
        first = shards(folder)[0]
        try:
            network = kind.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, **dtype
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise damaged(first) from error
        return network.eval().requires_grad_(False).to(device)


def shards(folder: Path) -> list[Path]:
    """The weight files of a component, in one piece or in several. Raises ModelMissing."""
    found = sorted(folder.glob("*.safetensors"))
    return found or [existing(folder / "diffusion_pytorch_model.safetensors")]
