"""Tokens and noise levels of FLUX.2: what is painted, and pictures beside it, in one sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from torch import Tensor

from acetate.pipelines.latent_tokens import flat, unflat

_APART = 10
"""How far in time each picture beside lies from the last, as in training."""


def places(height: int, width: int, time: int = 0) -> Tensor:
    """Where each token of a latent lies: [1, height × width, 4], of which the last is always 0."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    zeros = torch.zeros_like(rows)
    return torch.stack([zeros + time, rows, columns, zeros], dim=-1).flatten(0, 1)[None]


def word_places(count: int) -> Tensor:
    """Where each word lies: [1, count, 4], of which only the last is not 0."""
    return torch.stack([*[torch.zeros(count, dtype=torch.int64)] * 3, torch.arange(count)], -1)[
        None
    ]


def velocity(
    transformer: Any, latent: Tensor, timestep: Tensor, words: Tensor, references: Sequence[Tensor]
) -> Tensor:
    """The velocity [B, C, h, w] at a noisy latent, in sight of pictures."""
    height, width = latent.shape[-2:]
    dtype = words.dtype
    tokens, laid = [flat(latent)], [places(height, width)]
    for index, picture in enumerate(references, 1):
        tokens.append(flat(picture.to(latent)))
        laid.append(places(*picture.shape[-2:], time=index * _APART))
    found = transformer(
        hidden_states=torch.cat(tokens, dim=1).to(dtype),
        timestep=timestep.expand(len(latent)).to(dtype) / 1000,
        guidance=None,
        encoder_hidden_states=words,
        txt_ids=word_places(words.shape[1]).to(latent.device),
        img_ids=torch.cat(laid, dim=1).to(latent.device),
        return_dict=False,
    )[0]
    return unflat(found[:, : height * width], height, width)


class CountedFlow(FlowMatchEulerDiscreteScheduler):
    """Flow matching whose noise levels follow the number of tokens and of steps."""

    _tokens = 0

    def fit(self, noise: Tensor) -> None:
        """Make ready for pictures with this noise [B, C, h, w]."""
        self._tokens = noise.shape[-2] * noise.shape[-1]

    def set_timesteps(self, num_inference_steps: int, device: Any = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Even levels from 1 on, shifted as the authors found for these counts."""
        levels = np.linspace(1.0, 1 / num_inference_steps, num_inference_steps).tolist()
        given = None if self.config.get("use_flow_sigmas") else levels
        super().set_timesteps(
            num_inference_steps,
            device=device,
            sigmas=given,
            mu=shift_of(self._tokens, num_inference_steps),
        )


def shift_of(tokens: int, steps: int) -> float:
    """The shift towards noise: straight lines at 10 and at 200 steps, and between the two.

    The numbers are the authors' (`compute_empirical_mu` of diffusers).
    """
    many = 0.00016927 * tokens + 0.45666666
    if tokens > 4300:
        return many
    few = 8.73809524e-05 * tokens + 1.89833333
    slope = (many - few) / 190
    return slope * steps + many - 200 * slope
