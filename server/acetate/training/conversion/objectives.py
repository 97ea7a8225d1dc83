"""What a denoiser is asked: the noise, the velocity, or the way along a rectified flow."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from typing import Any, cast

import torch
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from torch import Tensor

from acetate.training.conversion.order import chance, drawn

TRAINED_STEPS = 1000


class Objective(ABC):
    """Draws a noise level for each sample, from its number alone."""

    @abstractmethod
    def noisy(self, latent: Tensor, numbers: list[int], seed: int) -> tuple[Tensor, Tensor, Tensor]:
        """The noisy latents [B, C, h, w], their timesteps [B] and what is to be predicted."""

    @staticmethod
    def _noise(latent: Tensor, numbers: list[int], seed: int) -> Tensor:
        each = [drawn(tuple(latent.shape[1:]), seed, number) for number in numbers]
        return torch.stack(each).to(latent)


@dataclass(frozen=True)
class Diffusion(Objective):
    """Noise or velocity over 1000 even steps, as SD 1.5 and SDXL were trained."""

    scheduler: Any

    def noisy(self, latent: Tensor, numbers: list[int], seed: int) -> tuple[Tensor, Tensor, Tensor]:
        steps = int(self.scheduler.config["num_train_timesteps"])
        levels = [
            int(torch.randint(steps, (), generator=chance(seed, number, "level")))
            for number in numbers
        ]
        timestep = torch.tensor(levels, device=latent.device)
        noise = self._noise(latent, numbers, seed)
        mixed = self.scheduler.add_noise(latent, noise, timestep)
        if self.scheduler.config["prediction_type"] == "v_prediction":
            return mixed, timestep, self.scheduler.get_velocity(latent, noise, timestep)
        return mixed, timestep, noise


@dataclass(frozen=True)
class Flow(Objective):
    """A rectified flow; levels are logit-normal (SD 3, section 3.1), shifted for the size."""

    shift: float = 1.0

    def noisy(self, latent: Tensor, numbers: list[int], seed: int) -> tuple[Tensor, Tensor, Tensor]:
        normal = [torch.randn((), generator=chance(seed, number, "level")) for number in numbers]
        even = torch.sigmoid(torch.stack(normal)).to(latent)
        sigma = self.shift * even / (1 + (self.shift - 1) * even)
        noise = self._noise(latent, numbers, seed)
        share = sigma[:, None, None, None]
        return (1 - share) * latent + share * noise, sigma * TRAINED_STEPS, noise - latent


def objective_of(family: str, config: Mapping[str, Any], tokens: int) -> Objective:
    """As the base was trained; `tokens` are those of a picture of the trained size."""
    if family in ("sd15", "sdxl"):
        return Diffusion(cast("Any", DDPMScheduler).from_config(dict(config)))
    if not config.get("use_dynamic_shifting"):
        return Flow(float(config.get("shift", 1.0)))
    low, high = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
    base, most = config.get("base_shift", 0.5), config.get("max_shift", 1.15)
    return Flow(exp(base + (most - base) * (tokens - low) / (high - low)))
