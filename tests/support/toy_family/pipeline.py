"""A pipeline whose denoiser knows one picture: a disc on nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from acetate.models.families import FAMILIES
from acetate.models.hashing import model_hash
from acetate.models.used_files import UsedFiles
from acetate.pipelines.conditioning import Conditioning, PromptEmbedding
from acetate.pipelines.memory_ladder import Ladder
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.rectified_flow import MODEL_STEPS, RectifiedFlow

FACTOR = 4


class ToyPipeline(Pipeline):
    """Latents are layers at a quarter of the size, in [-1, 1]."""

    family: ClassVar[str] = "toy"

    def __init__(self, colour: Sequence[int], path: Path, device: torch.device, model: str) -> None:
        self._colour = torch.tensor([*colour, 255]) / 255
        self.model = model
        self.model_hash = model_hash([path])
        self.files = UsedFiles({path.name: path})
        self.device = device
        self.dtype = torch.float32
        self.latent_channels = 4
        self.latent_factor = FACTOR
        self.native = 64
        self.limits = FAMILIES[self.family].frames(self.native)
        self.denoiser = nn.Identity()
        self.ladder = Ladder(device, [])

    @property
    def modules(self) -> list[nn.Module]:
        return [self.denoiser]

    def begin(self) -> None:
        self.ladder.begin()

    def encode_prompt(
        self, prompts: Sequence[str], negative_prompts: Sequence[str]
    ) -> PromptEmbedding:
        blank = torch.zeros(len(prompts), 1, 1)
        return PromptEmbedding(blank, blank)

    def encode_image(self, rgb: Tensor) -> Tensor:
        return self.encode_layer(torch.cat([rgb, torch.ones_like(rgb[:, :1])], dim=1))

    def encode_layer(self, rgba: Tensor) -> Tensor:
        return avg_pool2d(rgba, FACTOR) * 2 - 1

    def decode_image(self, latent: Tensor) -> Tensor:
        return self.decode_layer(latent, 1)[:, :3]

    def decode_layer(self, latent: Tensor, passes: int) -> Tensor:
        return interpolate((latent + 1) / 2, scale_factor=FACTOR).clamp(0, 1)

    def make_scheduler(self, name: str) -> RectifiedFlow:
        FAMILIES[self.family].check_scheduler(name)
        return RectifiedFlow()

    def predict(self, latent: Tensor, timestep: Tensor, told: Conditioning) -> Tensor:
        """Whatever is there, the way from it to the disc."""
        return (latent - self._disc(*latent.shape[-2:])) * MODEL_STEPS / timestep

    def _disc(self, height: int, width: int) -> Tensor:
        rows = torch.linspace(-1, 1, height)[:, None]
        columns = torch.linspace(-1, 1, width)[None]
        inside = (rows**2 + columns**2 < 0.5).float()
        return (self._colour[:, None, None] * inside)[None] * 2 - 1
