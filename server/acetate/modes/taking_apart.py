"""A flat picture taken apart from the front: what stands there is cut out, and what it hid filled.

The way of LayerD (2509.25134) with any matting and any filling: after each layer the picture
without it is the next one to be cut. Colours of a layer are those that give the picture again over
what was filled in, so that the layers add up to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from acetate.images.tensors import opaque, to_tensor
from acetate.latent_transparency import composite_over
from acetate.modes.context import Painting
from acetate.modes.surroundings import continued, matched
from acetate_bridge.protocol.types import Layer, Role

Cut = Callable[[Tensor], Tensor]
"""Alpha [1, 1, H, W] of what stands in front in a picture [1, 3, H, W]."""
Fill = Callable[[Tensor, Tensor], Tensor]
"""The picture [1, 3, H, W] without its front layer, a straight one of that alpha [1, 4, H, W]."""

_LEAST = 0.002
"""Share of a picture below which nothing stands in front of it."""
_SHOWN = 2 / 255
"""Alpha that is taken for none: no colour could be told from so little."""


def taken_apart(painting: Painting, cut: Cut, fill: Fill, most: int) -> list[Layer]:
    """Layers of the image `picture`, the hindmost first: `most` of them, or as many as there are.

    How far their sum is from the picture is told.
    """
    picture = painting.on_grey("picture")
    rest, fronts = picture, list[Tensor]()
    while len(fronts) < most - 1:
        alpha = cut(rest).to(rest)
        alpha = torch.where(alpha < _SHOWN, 0, alpha)
        if float(alpha.mean()) < _LEAST:
            painting.pipeline.ladder.tell(_FEWER.format(layers=len(fronts) + 1))
            break
        behind = fill(rest, torch.cat([rest, alpha], dim=1)).to(rest)
        behind = torch.where(alpha > 0, behind, rest)
        fronts.append(torch.cat([unblended(rest, behind, alpha), alpha], dim=1))
        rest = behind
    layers = [painting.layer(opaque(rest), Role.BACKGROUND)]
    layers += [painting.layer(front, Role.FOREGROUND) for front in reversed(fronts)]
    mean, worst = recomposition_error(layers, picture)
    painting.pipeline.ladder.tell(
        f"The layers add up to the picture within {mean:.1f} of 255 levels on average, "
        f"{worst:.0f} at the worst."
    )
    return layers


_FEWER = "Nothing more stands in front: the picture was split into {layers}."


def unblended(picture: Tensor, behind: Tensor, alpha: Tensor) -> Tensor:
    """Colours [1, 3, H, W] that give the picture when they are laid over what is behind."""
    return ((picture - (1 - alpha) * behind) / alpha.clamp_min(_SHOWN)).clamp(0, 1)


def recomposition_error(layers: Sequence[Layer], picture: Tensor) -> tuple[float, float]:
    """How far layers, the hindmost first, are from a picture [1, 3, H, W]: mean and most levels."""
    total = torch.full_like(picture, 0.5)
    for layer in layers:
        total = composite_over(to_tensor(layer.image).to(picture), total)
    off = (total - picture).abs() * 255
    return float(off.mean()), float(off.max())


def filled_behind(painting: Painting, strength: float) -> Fill:
    """What lies behind, by the model's own filling, for any family that has it."""

    def fill(rest: Tensor, front: Tensor) -> Tensor:
        from acetate.modes.fill import paint_picture

        hidden = max_pool2d((front[:, 3:] > 0).to(rest), 2 * _MARGIN + 1, 1, _MARGIN)
        start = continued(opaque(rest), hidden)
        painted = paint_picture(painting, start[:, :3], hidden, strength, "")
        return matched(opaque(painted).cpu(), start.cpu(), hidden.cpu())[:, :3]

    return fill


_MARGIN = 6
"""Pixels around a layer that are filled, too: some of its colour is in them."""
