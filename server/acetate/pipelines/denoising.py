"""What one run of the sampling loop is asked for, and several of them made into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from acetate.pipelines.conditioning import PromptEmbedding
from acetate.pipelines.memory_ladder import Ladder
from acetate.pipelines.patching import Patch
from acetate.pipelines.sampling import Denoise

APART = "Memory ran out: variants are painted one after another."


@dataclass(frozen=True)
class Denoising:
    """One run of the sampling loop, as a mode asks for it; see `Pipeline.denoise`.

    `apart` are the single pictures of which a run for several consists.
    """

    noise: Tensor
    prompt: PromptEmbedding
    steps: int
    guidance: float
    latent: Tensor | None = None
    strength: float = 1.0
    freedom: Tensor | None = None
    conditions: Sequence[Tensor] = ()
    patch: Patch | None = None
    stop_at: float = 1.0
    scheduler: str = ""
    generator: torch.Generator | list[torch.Generator] | None = None
    apart: tuple[Denoising, ...] = ()

    @property
    def condition(self) -> Tensor | None:
        """What the denoiser looks at, side by side [B, N × C, h, w]."""
        return torch.cat(list(self.conditions), dim=1) if self.conditions else None


def merged(several: Sequence[Denoising]) -> Denoising | None:
    """One run for all of these, each of one picture; None where they differ in more than what
    every picture of a batch has for itself.
    """
    first = several[0]
    if any(_shared(each) != _shared(first) or each.freedom is not None for each in several):
        return None
    prompts = [each.prompt for each in several]
    if any(prompt.turns for prompt in prompts):
        return None
    drawn = [each.generator for each in several if isinstance(each.generator, torch.Generator)]
    return replace(
        first,
        noise=torch.cat([each.noise for each in several]),
        prompt=PromptEmbedding(
            torch.cat([prompt.positive for prompt in prompts]),
            torch.cat([prompt.negative for prompt in prompts]),
            _all([prompt.pooled_positive for prompt in prompts]),
            _all([prompt.pooled_negative for prompt in prompts]),
        ),
        latent=_all([each.latent for each in several]),
        conditions=[
            torch.cat(beside) for beside in zip(*(each.conditions for each in several), strict=True)
        ],
        # Each draws what a sampler adds at its steps from a generator of its own, as alone.
        generator=drawn if len(drawn) == len(several) else None,
        apart=tuple(several),
    )


def in_one_batch(together: Denoise, alone: Sequence[Denoise], ladder: Ladder) -> Denoise:
    """A denoiser for several pictures at once, [B, C, h, w], which takes them one after another
    from where memory runs out, before anything else is given up: what is painted stays.
    """

    def denoise(latent: Tensor, timestep: Tensor) -> Tensor:
        if not ladder.scarce:
            found = ladder.rather(lambda: together(latent, timestep), APART)
            if found is not None:
                return found
        each = enumerate(alone)
        return torch.cat([way(latent[place : place + 1], timestep) for place, way in each])

    return denoise


def _shared(asked: Denoising) -> tuple[object, ...]:
    """What a run has once, and the shapes of what it has for each picture."""
    prompt = asked.prompt
    tensors = (
        asked.noise,
        prompt.positive,
        prompt.negative,
        prompt.pooled_positive,
        prompt.pooled_negative,
        asked.latent,
        *asked.conditions,
    )
    shapes = [None if tensor is None else tensor.shape for tensor in tensors]
    once = asked.steps, asked.guidance, asked.strength, asked.stop_at, asked.scheduler
    return (once, asked.patch, asked.generator is None, shapes)


def _all(tensors: Sequence[Tensor | None]) -> Tensor | None:
    found = [tensor for tensor in tensors if tensor is not None]
    return torch.cat(found) if len(found) == len(tensors) else None
