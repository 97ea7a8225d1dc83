"""Control images that are followed while the denoiser works, whatever network reads them.

Without diffusers, which takes seconds to load and which the embedded model does without.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Evaluation:
    """What the denoiser gets in one evaluation, and a network beside it.

    Noisy latent [B, C, h, w], noise level 999 (all noise) to 0, token states [B, T, D], and what
    is read beside words and time, as diffusers names it.
    """

    latent: Tensor
    timestep: Tensor
    tokens: Tensor
    added: dict[str, Tensor | None] | None = None


class Followed(ABC):
    """A control image with the network that reads it.

    `end` is the share of the noise levels after which it is followed no more.
    """

    end: float

    def counts(self, timestep: Tensor) -> bool:
        """Whether it is still followed at a noise level, 999 (all noise) to 0."""
        return still_followed(self.end, timestep)

    @abstractmethod
    def residuals(self, at: Evaluation) -> dict[str, Any]:
        """What is added inside the denoiser, as arguments of diffusers' U-Net."""


def still_followed(end: float, timestep: Tensor) -> bool:
    """Whether the share `end` of the noise levels, 999 (all noise) to 0, is not yet over."""
    return end >= 1 or float(timestep.max()) >= (1 - end) * 999


def added_up(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What several control networks add inside the denoiser, as one."""
    if len(found) < 2:
        return found[0] if found else {}
    arguments = dict.fromkeys(name for each in found for name in each)
    return {name: _sum([each[name] for each in found if name in each]) for name in arguments}


def _sum(parts: Sequence[Any]) -> Any:
    """Of tensors, or of lists of them level by level."""
    if isinstance(parts[0], Tensor):
        return sum(parts)
    return [sum(level) for level in zip(*parts, strict=True)]
