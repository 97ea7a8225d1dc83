"""Euler steps along a rectified flow, over the interface of diffusers' schedulers.

The noisy latent is (1 - σ) × clean + σ × noise and the model predicts noise minus clean
(Liu et al. 2022); the noise levels are evenly spaced.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

MODEL_STEPS = 1000
"""What a noise level of 1 is called by the denoiser."""


@dataclass(frozen=True)
class Advance:
    """What one step returns."""

    prev_sample: Tensor


class RectifiedFlow:
    """The scheduler of the embedded model."""

    order = 1

    def __init__(self) -> None:
        self.sigmas = torch.ones(1)
        self.timesteps = torch.ones(1) * MODEL_STEPS
        self._index = 0

    def set_timesteps(self, num_inference_steps: int, device: torch.device | str = "cpu") -> None:
        """Lay out that many noise levels from 1 down, and the zero after them."""
        self.sigmas = torch.linspace(1, 0, num_inference_steps + 1).to(device)
        self.timesteps = self.sigmas[:-1] * MODEL_STEPS
        self._index = 0

    def set_begin_index(self, begin_index: int = 0) -> None:
        """Start at this step."""
        self._index = begin_index

    def scale_noise(self, sample: Tensor, timestep: Tensor, noise: Tensor) -> Tensor:
        """A clean latent at the noise level of a timestep."""
        sigma = timestep.reshape(-1)[0] / MODEL_STEPS
        return (1 - sigma) * sample + sigma * noise

    def step(self, model_output: Tensor, timestep: Tensor, sample: Tensor) -> Advance:
        """One step along the predicted velocity."""
        sigma, following = self.sigmas[self._index], self.sigmas[self._index + 1]
        self._index += 1
        return Advance(sample + (following - sigma) * model_output)
