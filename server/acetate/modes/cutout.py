"""Cut the subject out of a flat layer.

A matting network says where it is, where one was taken over; else the model does, roughly, and
the edge is found in the picture.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from acetate.images.foreground_colour import front_colour
from acetate.images.frame_pixels import on_canvas, place_layer, show_frame
from acetate.images.tensors import bleed, to_image, to_tensor
from acetate.latent_transparency import composite_on_grey
from acetate.modes.context import Painting, cannot
from acetate.modes.matting import lifted, matting_for, sharpened
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import OnStep, Step
from acetate_bridge.protocol.frame_planning import plan_frame
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Layer, Request, Role

_SOLID = 1 - 0.5 / 255
"""Alpha that an 8-bit picture rounds to all of it."""


def paint(request: Request, pipeline: Pipeline, on_step: OnStep | None = None) -> list[Layer]:
    """The subject of the image `layer`, at its size; colours are the layer's own.

    Solid pixels come back to the last bit.
    """
    rgba = to_tensor(request.images["layer"])
    matting = matting_for(request.recipe, pipeline, needed=False)
    if matting is not None:
        share = matting(composite_on_grey(rgba))
        if on_step is not None:
            on_step(Step(1, 1, lambda: torch.cat([rgba[:, :3], share], dim=1)))
    elif pipeline.composition == "direct":
        share = sharpened(rgba, _seen(request, pipeline, on_step))
    else:
        raise cannot(pipeline, "cutout")
    alpha = torch.where(share > _SOLID, 1.0, share) * rgba[:, 3:]
    cut = torch.cat([rgba[:, :3], alpha], dim=1)
    image = to_image(bleed(torch.cat([front_colour(cut), alpha], dim=1)), request.pixel_format)
    return [Layer(image, Role.FOREGROUND, "layer, cut out", recipe=request.recipe)]


def _seen(request: Request, pipeline: Pipeline, on_step: OnStep | None) -> Tensor:
    """Where the model sees something in front of the rest: [1, 1, H, W], soft."""
    recipe = request.recipe
    frame = plan_frame(Rect(0, 0, recipe.width, recipe.height), pipeline.limits)
    shown = show_frame(on_canvas(request.images["layer"], frame), frame)
    sized = replace(recipe, width=frame.size.width, height=frame.size.height)
    painting = Painting(replace(request, recipe=sized, images={"layer": shown}), pipeline, on_step)
    front = to_image(lifted(painting, painting.on_grey("layer")), request.pixel_format)
    placed = place_layer(Layer(front, Role.FOREGROUND, "", recipe=sized), frame)
    return to_tensor(placed.image)[:, 3:]
