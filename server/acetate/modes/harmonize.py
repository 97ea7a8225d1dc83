"""Relight a layer by the picture beneath it: its colours change, its transparency stays (IC-Light).

Written after the published code (lllyasviel/IC-Light, `gradio_demo_bg.py`, the first of its two
passes); the published files have not been run here.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from acetate.latent_transparency import pad_colour
from acetate.modes.context import Painting
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import OnStep
from acetate_bridge.protocol.types import Layer, Request, Role

_SOLID = 0.95
"""Alpha from which nothing of the picture beneath is in a colour."""

_EDGE = 8
"""Pixels around a solid one within which less alpha is a soft edge of it."""


def paint(request: Request, pipeline: Pipeline, on_step: OnStep | None = None) -> list[Layer]:
    """The image `layer` in the light of the image `picture`, its alpha to the last bit."""
    painting = Painting(request, pipeline, on_step)
    layer = painting.picture("layer")
    latent = painting.stage(
        painting.embed(painting.recipe.prompt),
        pipeline.patch_for("harmonize"),
        conditions=[pipeline.encode_image(painting.on_grey(name)) for name in ("layer", "picture")],
        stop_at=painting.recipe.stop_at,
        preview=painting.seen,
    )
    relit = pipeline.decode_image(latent).to(layer)
    return [painting.layer(with_colours_of(relit, layer[:, 3:]), Role.FOREGROUND)]


def with_colours_of(relit: Tensor, alpha: Tensor) -> Tensor:
    """Straight [1, 4, H, W] of an opaque relit picture [1, 3, H, W] and a layer's alpha.

    At a soft edge the picture shows what lies beneath, too, so the colour of the solid part is
    continued to there. What is translucent as a whole has only the colours of the picture.
    """
    solid = (alpha >= _SOLID).to(relit)
    near = max_pool2d(solid, 2 * _EDGE + 1, stride=1, padding=_EDGE)
    sure = torch.where((near > 0) | (alpha == 0), solid, torch.ones_like(solid))
    colour = pad_colour(torch.cat([relit, sure], dim=1)) if bool(sure.any()) else relit
    return torch.cat([colour, alpha], dim=1)
