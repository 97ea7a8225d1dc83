"""Take the fringe off a layer: at its edge the colour of what is in front, not of where it was."""

from __future__ import annotations

import torch

from acetate.images.foreground_colour import front_colour
from acetate.images.tensors import bleed, to_image, to_tensor
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import OnStep, Step
from acetate_bridge.protocol.types import Layer, Request, Role


def paint(request: Request, pipeline: Pipeline, on_step: OnStep | None = None) -> list[Layer]:
    """The image `layer` with its alpha, and the colour of solid pixels, to the last bit.

    Nothing of the pipeline takes part.
    """
    rgba = to_tensor(request.images["layer"])
    clean = torch.cat([front_colour(rgba), rgba[:, 3:]], dim=1)
    if on_step is not None:
        on_step(Step(1, 1, lambda: clean))
    image = to_image(bleed(clean), request.pixel_format)
    return [Layer(image, Role.FOREGROUND, "layer, defringed", recipe=request.recipe)]
