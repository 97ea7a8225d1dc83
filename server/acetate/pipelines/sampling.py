"""The sampling loop that every family shares, over the interface of diffusers' schedulers.

A scheduler here is anything with `set_timesteps`, `timesteps` and `step`, and where it needs them
`scale_model_input`, `init_noise_sigma`, `set_begin_index`, and `add_noise` or `scale_noise`; and
`fit`, which gets the noise before all, where the schedule follows the size of the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from torch import Tensor

from acetate.errors import Interrupted

__all__ = ["Denoise", "Handover", "Interrupted", "OnStep", "Step", "guided", "sample"]

Denoise = Callable[[Tensor, Tensor], Tensor]
"""Takes the scaled noisy latent and the model timestep; returns the (guided) prediction."""


_TIMESTEPS = 1000
"""Noise levels that every family was trained with, the last without noise."""


@dataclass(frozen=True)
class Step:
    """Where the painting stands after one evaluation of the denoiser.

    `index` counts finished steps from 1 to `total`. `preview` makes a small straight-alpha
    picture [B, 4, h, w] in [0, 1] of the expected result; it costs only when called.
    """

    index: int
    total: int
    preview: Callable[[], Tensor]


OnStep = Callable[[Step], None]


@dataclass(frozen=True)
class Handover:
    """Past `share` of the noise levels, `begin` is called once and what it returns does the rest.

    Levels are counted as the authors' own interface does: by the timestep that a step is at, not
    by how many steps are done, of which most samplers do more where there is little noise.
    The scheduler keeps its history across the change, as multistep solvers need it.
    """

    share: float
    begin: Callable[[], Denoise]


@torch.inference_mode()
def sample(
    denoise: Denoise,
    scheduler: Any,
    noise: Tensor,
    *,
    steps: int,
    latent: Tensor | None = None,
    strength: float = 1.0,
    freedom: Tensor | None = None,
    handover: Handover | None = None,
    generator: torch.Generator | list[torch.Generator] | None = None,
    on_step: Callable[[int, int, Callable[[], Tensor]], None] | None = None,
) -> Tensor:
    """Turn unit-variance `noise` [B, C, h, w] into a scaled latent of the same shape.

    With a `latent` the painting starts from it, noised to `strength`: the schedule is that of
    `steps / strength` steps, of which the last `steps` are done, as in the official code
    (LayerDiffuse command line, image to image). `freedom` [1, 1, h, w] in [0, 1] says how far each
    place may leave that latent: 1 from the first step on, 0.5 in the second half of the steps, 0
    never; until then a place is the latent at the noise of the moment (differential diffusion,
    Levin and Fried 2023). `on_step` gets the number of finished steps,
    their total, and a function for the clean latent that the model expects at this point. A list
    of generators has one for each picture of the batch.
    """
    if hasattr(scheduler, "fit"):
        scheduler.fit(noise)
    planned = steps if latent is None else planned_steps(steps, strength)
    scheduler.set_timesteps(planned, device=noise.device)
    skipped = (planned - steps) * getattr(scheduler, "order", 1)
    timesteps = scheduler.timesteps[skipped:]
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(skipped)
    x = _start(scheduler, noise, latent, timesteps[:1])
    keywords: dict[str, Any] = {}
    if "generator" in signature(scheduler.step).parameters:
        keywords["generator"] = generator
    total = len(timesteps)
    change_at = total if handover is None else _first_past(handover.share, timesteps)
    for index, timestep in enumerate(timesteps):
        if freedom is not None and latent is not None:
            held = freedom < 1 - index / total
            x = torch.where(held, _noised(scheduler, noise, latent, timestep[None]), x)
        if handover is not None and index == change_at:
            denoise = handover.begin()
        scaled = x
        if hasattr(scheduler, "scale_model_input"):
            scaled = scheduler.scale_model_input(x, timestep)
        prediction = denoise(scaled, timestep).to(x.dtype)
        output = scheduler.step(prediction, timestep, x, **keywords)
        if on_step is not None:
            expected = _Expected(scheduler, output, x, prediction, skipped + index)
            on_step(index + 1, total, expected)
        x = output.prev_sample
    if freedom is not None and latent is not None:
        x = torch.where(freedom < 1 / total, latent, x)
    return x


def planned_steps(steps: int, strength: float) -> int:
    """Steps of the whole schedule, of which the last `steps` are done from a latent.

    It is the official code's number, but that a strength which lies nearer to the second of them
    than to the first begins there: few steps would begin at pure noise, and lose the latent.
    """
    planned = max(steps, int(steps / strength))
    nearer = strength <= (2 * steps + 1) / (2 * steps + 2)
    return steps + 1 if planned == steps and nearer else planned


def _first_past(share: float, timesteps: Tensor) -> int:
    """The first step at less noise than that of timestep (1 - share) × 999, or their number."""
    past = timesteps.float() < (1 - share) * (_TIMESTEPS - 1)
    return int(past.int().argmax()) if bool(past.any()) else len(timesteps)


def guided(positive: Tensor, negative: Tensor, guidance: float) -> Tensor:
    """Classifier-free guidance: away from the negative prediction by `guidance` (1: not at all)."""
    return negative + guidance * (positive - negative)


def _start(scheduler: Any, noise: Tensor, latent: Tensor | None, first: Tensor) -> Tensor:
    if latent is None:
        return noise * getattr(scheduler, "init_noise_sigma", 1.0)
    return _noised(scheduler, noise, latent, first)


def _noised(scheduler: Any, noise: Tensor, latent: Tensor, at: Tensor) -> Tensor:
    """A clean latent at the noise of the timestep `at`, a tensor of one, where it stands."""
    if hasattr(scheduler, "scale_noise"):
        return scheduler.scale_noise(latent, at, noise)
    return scheduler.add_noise(latent, noise, at)


@dataclass(frozen=True)
class _Expected:
    """The clean latent that a prediction stands for, worked out when asked."""

    scheduler: Any
    output: Any
    x: Tensor
    prediction: Tensor
    index: int

    def __call__(self) -> Tensor:
        clean = getattr(self.output, "pred_original_sample", None)
        if clean is not None:
            return clean
        if (history := getattr(self.scheduler, "model_outputs", None)) is not None:
            # DPM-Solver++ and UniPC keep the clean latent of each step as their history.
            return history[-1]
        return self.x - self.scheduler.sigmas[self.index] * self.prediction
