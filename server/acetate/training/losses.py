"""What the stages descend: pictures against pictures, and layers against layers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

Losses = dict[str, Tensor]

HIDDEN_COLOUR_WEIGHT = 0.05


def picture_losses(painted: Tensor, truth: Tensor) -> Losses:
    """L1, squared error and the L1 of gradients at four scales."""
    losses = {
        "l1": functional.l1_loss(painted, truth),
        "square": functional.mse_loss(painted, truth),
    }
    edges = torch.zeros(())
    for scale in range(4):
        if scale:
            painted, truth = functional.avg_pool2d(painted, 2), functional.avg_pool2d(truth, 2)
        difference = painted - truth
        edges = edges + difference.diff(dim=-1).abs().mean() + difference.diff(dim=-2).abs().mean()
    losses["edges"] = edges
    return losses


def picture_loss(losses: Losses) -> Tensor:
    """The weighted sum of `picture_losses`: about even shares near the end of a training."""
    return 2 * losses["l1"] + 10 * losses["square"] + 0.5 * losses["edges"]


def quick_padding(rgba: Tensor) -> Tensor:
    """Colour that continues smoothly under alpha 0, by a pyramid of halves; RGB [B, 3, H, W].

    A coarser and much faster relative of the paper's padding, good enough inside a training loop.
    """
    levels = [(rgba[:, :3] * rgba[:, 3:], rgba[:, 3:])]
    while min(levels[-1][0].shape[-2:]) > 1:
        levels.append(
            (functional.avg_pool2d(levels[-1][0], 2), functional.avg_pool2d(levels[-1][1], 2))
        )
    top_colour, top_alpha = levels[-1]
    fill = top_colour.sum((2, 3), keepdim=True) / top_alpha.sum((2, 3), keepdim=True).clamp_min(
        1e-6
    )
    for colour, alpha in reversed(levels):
        fill = functional.interpolate(
            fill, size=colour.shape[-2:], mode="bilinear", align_corners=False
        )
        fill = colour + fill * (1 - alpha)
    return fill


def transparency_losses(decoded: Tensor, rgba: Tensor, padded: Tensor) -> Losses:
    """Alpha, its edges, and colour by visibility (with a little for what lies under alpha 0)."""
    alpha, colour = decoded[:, :1], decoded[:, 1:]
    truth = rgba[:, 3:]
    target = torch.where(truth > 0.02, rgba[:, :3], padded)
    edges = (alpha - truth).diff(dim=-1).abs().mean() + (alpha - truth).diff(dim=-2).abs().mean()
    weight = truth + HIDDEN_COLOUR_WEIGHT
    premultiplied = colour * alpha.clamp(0, 1) - rgba[:, :3] * truth
    return {
        "alpha": functional.l1_loss(alpha, truth) + 4 * functional.mse_loss(alpha, truth) + edges,
        "colour": ((colour - target).abs() * weight).mean()
        + 20 * premultiplied.square().mean()
        + premultiplied.diff(dim=-1).abs().mean()
        + premultiplied.diff(dim=-2).abs().mean(),
    }
