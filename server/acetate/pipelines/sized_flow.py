"""Flow matching by Euler steps whose noise levels follow the size of the picture."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from torch import Tensor


class SizedFlow(FlowMatchEulerDiscreteScheduler):
    """Flow matching whose noise levels follow the size of the picture, as FLUX.1 was trained."""

    places_of_token: ClassVar[int] = 4
    """Places of a latent that one token of the denoiser stands for."""
    _tokens = 0

    def fit(self, noise: Tensor) -> None:
        """Make ready for pictures with this noise [B, C, h, w]."""
        self._tokens = noise.shape[-2] * noise.shape[-1] // self.places_of_token

    def set_timesteps(self, num_inference_steps: int, device: Any = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Even levels from 1 on, shifted towards noise the more, the larger the picture is."""
        config = self.config
        slope = (config["max_shift"] - config["base_shift"]) / (
            config["max_image_seq_len"] - config["base_image_seq_len"]
        )
        shift = config["base_shift"] + slope * (self._tokens - config["base_image_seq_len"])
        super().set_timesteps(device=device, sigmas=self.levels(num_inference_steps), mu=shift)

    def stretch_shift_to_terminal(self, t: Any) -> Any:
        """Levels [steps] whose last is the config's `shift_terminal`; a single one is left as is.

        It is pure noise, and diffusers would divide by how far it is from that.
        """
        return t if len(t) == 1 else super().stretch_shift_to_terminal(t)

    def levels(self, steps: int) -> list[float]:
        """The noise levels before they are shifted."""
        return np.linspace(1.0, 1 / steps, steps).tolist()
