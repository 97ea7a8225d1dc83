"""DPM-Solver++ (2M) over Karras' noise levels, as the published code samples.

Written with the interface of diffusers' schedulers. Theirs rounds timesteps and works in the
variance-preserving space; the published weights were tuned with this one (k-diffusion's), whose
latents are clean + sigma × noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

RHO = 7.0
"""Bend of the noise levels (Karras et al. 2022, equation 5)."""


@dataclass(frozen=True)
class Advance:
    """What one step returns: the next latent, and the clean one expected at this point."""

    prev_sample: Tensor
    pred_original_sample: Tensor


class KarrasMultistep:
    """`train_sigmas` are the noise levels of the base model's training steps, rising.

    `prediction_type` is "epsilon" or "v_prediction".
    """

    order = 1

    def __init__(self, train_sigmas: Tensor, prediction_type: str = "epsilon") -> None:
        self._train_sigmas = train_sigmas.double().cpu()
        self._prediction_type = prediction_type
        self.timesteps = torch.empty(0, dtype=torch.int64)
        self.sigmas = torch.empty(0)
        self._index = 0
        self._previous: Tensor | None = None

    @property
    def init_noise_sigma(self) -> float:
        """What unit noise is multiplied with to start."""
        return float(self.sigmas[0])

    def set_timesteps(self, num_inference_steps: int, device: torch.device | str = "cpu") -> None:
        """Lay out that many noise levels, and the nearest training step to each."""
        lowest, highest = float(self._train_sigmas[0]), float(self._train_sigmas[-1])
        ramp = np.linspace(0, 1, num_inference_steps)
        root = highest ** (1 / RHO) + ramp * (lowest ** (1 / RHO) - highest ** (1 / RHO))
        sigmas = torch.as_tensor(root**RHO)
        distance = sigmas.log()[:, None] - self._train_sigmas.log()
        self.timesteps = distance.abs().argmin(dim=1).to(device)
        self.sigmas = torch.cat([sigmas, sigmas.new_zeros(1)]).float()
        self.set_begin_index(0)

    def set_begin_index(self, begin_index: int = 0) -> None:
        """Start at this step, without history."""
        self._index = begin_index
        self._previous = None

    def add_noise(self, original_samples: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """A clean latent at the noise level of the first step."""
        return original_samples + noise * float(self.sigmas[self._index])

    def scale_model_input(self, sample: Tensor, timestep: Tensor | None = None) -> Tensor:
        """The latent at unit variance, as the denoiser knows it."""
        return sample / (float(self.sigmas[self._index]) ** 2 + 1) ** 0.5

    def step(self, model_output: Tensor, timestep: Tensor, sample: Tensor) -> Advance:
        """One step of second order; the first, and the one to zero, are of first order."""
        sigma, following = (self.sigmas[self._index + i].double() for i in (0, 1))
        clean = self._clean(model_output, sample, float(sigma))
        if following == 0:
            self._index += 1
            return Advance(clean, clean)
        time, next_time = -sigma.log(), -following.log()
        width = next_time - time
        estimate = clean
        if self._previous is not None:
            ratio = float((time + self.sigmas[self._index - 1].double().log()) / width)
            estimate = (1 + 1 / (2 * ratio)) * clean - (1 / (2 * ratio)) * self._previous
        self._index += 1
        self._previous = clean
        shrunk = float(following / sigma) * sample - float(torch.expm1(-width)) * estimate
        return Advance(shrunk, clean)

    def _clean(self, output: Tensor, sample: Tensor, sigma: float) -> Tensor:
        if self._prediction_type == "v_prediction":
            return sample / (sigma**2 + 1) - output * (sigma / (sigma**2 + 1) ** 0.5)
        return sample - sigma * output
