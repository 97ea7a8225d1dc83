"""Split this flat picture into layers: a group of transparent layers that add up to it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from acetate.images.tensors import bleed, to_image, to_tensor
from acetate.modes.context import Painting
from acetate.modes.naming import layer_name
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import OnStep
from acetate_bridge.protocol.types import Layer, Request, Role


def paint(request: Request, pipeline: Pipeline, on_step: OnStep | None = None) -> list[Layer]:
    """As many layers of the frame's size as the recipe says, the hindmost first.

    The prompt says what is in the image `picture`.
    """
    from acetate.pipelines.qwen_layered import LayeredPipeline

    recipe = request.recipe
    if not isinstance(pipeline, LayeredPipeline):
        return _in_two(Painting(request, pipeline, on_step, stages=2))
    layers = pipeline.decompose(
        to_tensor(request.images["picture"]),
        recipe.prompt,
        recipe.negative_prompt,
        layers=recipe.layers,
        steps=recipe.steps,
        guidance=recipe.guidance,
        generator=torch.Generator().manual_seed(recipe.seed),
        on_step=on_step,
    )
    name = layer_name(recipe.prompt)
    return [
        Layer(
            to_image(bleed(at_size(rgba[None], recipe.height, recipe.width)), request.pixel_format),
            Role.FOREGROUND if index else Role.BACKGROUND,
            f"{name} {index + 1}",
            recipe=recipe,
        )
        for index, rgba in enumerate(layers)
    ]


def _in_two(painting: Painting) -> list[Layer]:
    """The thing in the picture and what is behind it, for a model that knows no more layers."""
    pipeline = painting.pipeline
    if painting.recipe.layers > 2:
        pipeline.ladder.tell("This model splits a picture into two layers, not more.")
    picture = pipeline.encode_image(painting.on_grey("picture"))
    prompt = painting.embed(painting.recipe.prompt)
    front = painting.stage(prompt, pipeline.patch_for("extract"), conditions=[picture])
    rgba = pipeline.decode_layer(front, painting.recipe.passes)
    behind = painting.stage(
        painting.embed(""),
        pipeline.patch_for("behind"),
        conditions=[pipeline.encode_layer(rgba), picture],
        preview=painting.seen,
    )
    return [painting.opaque(behind, Role.BACKGROUND), painting.layer(rgba, Role.FOREGROUND)]


def at_size(rgba: Tensor, height: int, width: int) -> Tensor:
    """Straight [B, 4, h, w] at another size, its colour weighted by its alpha."""
    if tuple(rgba.shape[-2:]) == (height, width):
        return rgba
    colour, alpha = rgba[:, :3], rgba[:, 3:]
    # A trace of weight is left for what is transparent, so that hidden colour stays smooth.
    weight = alpha.clamp_min(2.0**-16)
    premultiplied = torch.cat([colour * weight, weight, alpha], dim=1)
    resized = interpolate(premultiplied, (height, width), mode="bilinear", antialias=True)
    straight = resized[:, :3] / resized[:, 3:4]
    return torch.cat([straight, resized[:, 4:]], dim=1).clamp(0, 1)
