"""A small judge of patches, in the paper's third loss; it and what it judges learn in one step."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from acetate.training.losses import Losses

_WIDTHS = (64, 128, 256)


class Critic(nn.Module):
    """Scores patches of [alpha, R, G, B] [B, 4, H, W] (pix2pix, section 3.2.2): high is real."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        previous = 4
        for width in _WIDTHS:
            layers += [nn.Conv2d(previous, width, 4, 2, 1), nn.LeakyReLU(0.2)]
            previous = width
        self.blocks = nn.Sequential(*layers, nn.Conv2d(previous, 1, 4, 1, 1))

    def forward(self, decoded: Tensor, truth: Tensor, weight: float) -> Losses:
        """The hinge losses. What was decoded gets the reverse of the critic's gradient × `weight`,
        so that it learns to be taken for real.
        """
        reverse: Any = cast("Any", _Reversed).apply
        painted = self.blocks(reverse(decoded, weight))
        real = self.blocks(truth)
        return {"critic": functional.relu(1 - real).mean() + functional.relu(1 + painted).mean()}


class _Reversed(torch.autograd.Function):
    """Forward nothing; backward the gradient times minus `weight` (Ganin and Lempitsky, 2015)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: float) -> Tensor:
        ctx.weight = weight
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.weight * gradients[0], None
