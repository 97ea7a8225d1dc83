"""What stands in front of a picture: by a matting network, or by what the model itself sees.

What a model sees is rough: its edge is found anew in the picture that it was cut out of.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from acetate.matting.network import MattingNetwork
from acetate.matting.shelf import matting_file, matting_network
from acetate.modes.context import Painting
from acetate.modes.surroundings import spread
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge.protocol.types import Recipe

_UNSURE = 1 / 96
"""Share of the longer side within which a rough edge may be wrong."""

_APART = 0.08
"""Difference, of 1, between front and behind at which the picture counts as much as the cut-out."""


def matting_for(recipe: Recipe, pipeline: Pipeline, *, needed: bool) -> MattingNetwork | None:
    """The network that is here, named among the files of the painting; None where there is none.

    What was painted without one is painted again without, unless one is `needed` for it.
    """
    found = matting_file()
    if found is None:
        return None
    name = f"matting/{found[0].name}"
    if not recipe.files or name in recipe.files:
        pipeline.files.use(found[0], name)
    elif not needed:
        return None
    return matting_network(*found)


def lifted(painting: Painting, picture: Tensor) -> Tensor:
    """What the model sees in front of a picture [1, 3, H, W], as a straight layer [1, 4, H, W]."""
    pipeline = painting.pipeline
    front = painting.stage(
        painting.embed(painting.recipe.prompt),
        pipeline.patch_for("extract"),
        conditions=[pipeline.encode_image(picture)],
    )
    return pipeline.decode_layer(front, painting.recipe.passes)


@torch.inference_mode()
def sharpened(rgba: Tensor, rough: Tensor) -> Tensor:
    """Alpha [1, 1, H, W] of what a rough alpha of the same size marks in a straight picture.

    Around the rough edge each colour lies on the line between what is in front and what is behind
    near it, and where on it is its alpha (the compositing equation solved for alpha); where both
    look alike, the rough alpha stays.
    """
    reach = max(2, round(max(rough.shape[-2:]) * _UNSURE))
    inside = -_widest(-(rough > 0.5).to(rough), reach)
    outside = 1 - _widest((rough > 0.5).to(rough), reach)
    if not bool(inside.any()) or not bool(outside.any()):
        return rough
    front, behind = spread(rgba[:, :3], inside), spread(rgba[:, :3], outside)
    line = front - behind
    length = line.square().sum(dim=1, keepdim=True)
    along = ((rgba[:, :3] - behind) * line).sum(dim=1, keepdim=True) / length.clamp_min(1e-6)
    trust = length / (length + _APART**2)
    edge = torch.lerp(rough, along.clamp(0, 1), trust)
    return torch.where(inside > 0, 1.0, torch.where(outside > 0, 0.0, edge))


def _widest(mask: Tensor, reach: int) -> Tensor:
    return max_pool2d(mask, 2 * reach + 1, stride=1, padding=reach)
