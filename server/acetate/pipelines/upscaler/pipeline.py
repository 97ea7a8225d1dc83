"""An upscaler as a model that knows one mode: to enlarge layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import torch
from torch import Tensor, nn

from acetate.errors import BadRequest
from acetate.models.families import FAMILIES
from acetate.models.hashing import model_hash
from acetate.models.registry import UPSCALER_NATIVE
from acetate.models.used_files import UsedFiles
from acetate.models.weights import read_weights
from acetate.pipelines.conditioning import Conditioning, PromptEmbedding
from acetate.pipelines.memory_ladder import Ladder
from acetate.pipelines.pipeline import Pipeline
from acetate.upscaling.foreign_upscalers import read_upscaler


class UpscalerPipeline(Pipeline):
    """The network in one file. Raises NotRecognised, ModelMissing or ModelDamaged."""

    family: ClassVar[str] = "upscaler"

    def __init__(self, path: Path, device: torch.device, model: str) -> None:
        self.device = device
        self.dtype = torch.float32 if device.type == "cpu" else torch.float16
        found = read_upscaler(read_weights(path), path.name)
        # Past diffusers' own `to`, as everywhere.
        self.upscaler = replace(found, network=nn.Module.to(found.network, device, self.dtype))
        self.denoiser = self.upscaler.network
        self.model = model
        self.model_hash = model_hash([path])
        self.files = UsedFiles({path.name: path})
        self.latent_channels, self.latent_factor = 4, 1
        self.native = UPSCALER_NATIVE
        self.limits = FAMILIES[self.family].frames(UPSCALER_NATIVE)
        self.ladder = Ladder(device, [])

    @property
    def modules(self) -> list[nn.Module]:
        return [self.denoiser]

    def begin(self) -> None:
        self.ladder.begin()

    def encode_prompt(
        self, prompts: Sequence[str], negative_prompts: Sequence[str]
    ) -> PromptEmbedding:
        self._refuse()

    def encode_image(self, rgb: Tensor) -> Tensor:
        self._refuse()

    def encode_layer(self, rgba: Tensor) -> Tensor:
        self._refuse()

    def decode_image(self, latent: Tensor) -> Tensor:
        self._refuse()

    def decode_layer(self, latent: Tensor, passes: int) -> Tensor:
        self._refuse()

    def make_scheduler(self, name: str) -> Any:
        self._refuse()

    def predict(self, latent: Tensor, timestep: Tensor, told: Conditioning) -> Tensor:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise BadRequest(f"The model “{self.model}” only enlarges layers (upscale).")
