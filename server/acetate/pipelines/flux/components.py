"""The components of a FLUX.1 base, from a folder of diffusers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, cast

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from tokenizers import Tokenizer
from transformers.models.clip.configuration_clip import CLIPTextConfig
from transformers.models.clip.modeling_clip import CLIPTextModel
from transformers.models.clip.tokenization_clip import CLIPTokenizer
from transformers.models.t5.configuration_t5 import T5Config
from transformers.models.t5.modeling_t5 import T5EncoderModel

from acetate.models.component_files import weight_files
from acetate.models.files import read_config
from acetate.models.network_config import read_network_config
from acetate.models.tokenizer_file import read_tokenizer, to_length
from acetate.pipelines.diffusers_folder import read_clip_tokenizer
from acetate.pipelines.network_loading import (
    META,
    filled,
    fitting,
    of_the_tower,
    of_todays_attention,
    read_tensors,
)
from acetate.pipelines.published_network import read_network

FLUX_PARTS = ("transformer", "vae", "text_encoder", "text_encoder_2")


class FluxBase:
    """Networks come frozen, in the asked type, on the asked device; large ones are in shards.

    All methods raise ModelMissing or ModelDamaged naming a file.
    """

    stored: ClassVar[tuple[str, ...]] = FLUX_PARTS
    """Networks whose weights lie in the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def weights(self) -> list[Path]:
        """The files that hold weights."""
        return self._stored_weights()

    @property
    def files(self) -> dict[str, Path]:
        """Every file that the components are made of, by a name that is the same everywhere."""
        folder = self._folder
        paths = [*self._stored_weights(), *(folder / name / "config.json" for name in FLUX_PARTS)]
        paths += [folder / "scheduler" / "scheduler_config.json"]
        clip = ("vocab.json", "merges.txt", "tokenizer.json")
        words = [folder / "tokenizer" / name for name in clip]
        paths += [path for path in words if path.is_file()]
        paths += [folder / "tokenizer_2" / "tokenizer.json"]
        return {path.relative_to(folder).as_posix(): path for path in paths}

    def _stored_weights(self) -> list[Path]:
        return [path for name in self.stored for path in weight_files(self._folder / name)]

    def scheduler_config(self) -> dict[str, Any]:
        return read_config(self._folder / "scheduler" / "scheduler_config.json")

    def denoiser(self, dtype: torch.dtype, device: torch.device) -> FluxTransformer2DModel:
        return read_network(FluxTransformer2DModel, self._folder / "transformer", dtype, device)

    def autoencoder(self, dtype: torch.dtype, device: torch.device) -> AutoencoderKL:
        return read_network(AutoencoderKL, self._folder / "vae", dtype, device)

    def pooled_encoder(self, dtype: torch.dtype, device: torch.device) -> CLIPTextModel:
        """CLIP, whose one state of a whole prompt modulates the denoiser."""
        return read_network(CLIPTextModel, self._folder / "text_encoder", dtype, device)

    def token_encoder(self, dtype: torch.dtype, device: torch.device) -> T5EncoderModel:
        """T5, whose states of single words the denoiser attends to."""
        return read_network(T5EncoderModel, self._folder / "text_encoder_2", dtype, device)

    def pooled_tokenizer(self) -> CLIPTokenizer:
        return read_clip_tokenizer(self._folder / "tokenizer")

    def token_tokenizer(self, length: int) -> Tokenizer:
        """Every prompt becomes exactly `length` tokens, as in training."""
        path = self._folder / "tokenizer_2" / "tokenizer.json"

        def load() -> Tokenizer:
            tokenizer = Tokenizer.from_file(str(path))
            return to_length(tokenizer, length, tokenizer.token_to_id("<pad>") or 0)

        return read_tokenizer(path, load)

    def on_meta(self, name: str) -> Any:
        """A network without its weights, if those in the folder are the ones that it needs."""
        folder = self._folder / name
        config = read_network_config(folder / "config.json")
        make = _makers()[name]
        state = read_tensors(weight_files(folder), META)
        if "shared.weight" in state:  # T5 keeps its words once, under either name.
            state.setdefault("encoder.embed_tokens.weight", state["shared.weight"])
        with fitting(folder):
            if name == "text_encoder":
                state = of_the_tower(state, make(config).state_dict())
            return filled(lambda: make(config), of_todays_attention(state), torch.float32, META)


def _makers() -> dict[str, Callable[[dict[str, Any]], Any]]:
    """How a network is built from its configuration."""

    def known(kind: Any) -> Callable[[dict[str, Any]], Any]:
        return lambda config: kind(**kind.extract_init_dict(config)[0])

    return {
        "transformer": known(FluxTransformer2DModel),
        "vae": known(AutoencoderKL),
        "text_encoder": lambda config: CLIPTextModel(cast("Any", CLIPTextConfig).from_dict(config)),
        "text_encoder_2": lambda config: T5EncoderModel(cast("Any", T5Config).from_dict(config)),
    }
