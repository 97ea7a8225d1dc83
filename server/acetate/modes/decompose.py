"""Split this flat picture into layers: a group of transparent layers that add up to it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from acetate.errors import BadRequest
from acetate.images.tensors import bleed, to_image, to_tensor
from acetate.models.families import FAMILIES
from acetate.modes.context import Painting
from acetate.modes.matting import lifted, matting_for
from acetate.modes.naming import layer_name
from acetate.modes.taking_apart import Cut, Fill, filled_behind, taken_apart
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import OnStep
from acetate_bridge.protocol.modes import FILL_STRENGTH
from acetate_bridge.protocol.types import Layer, Request, Role


def paint(request: Request, pipeline: Pipeline, on_step: OnStep | None = None) -> list[Layer]:
    """As many layers of the frame's size as the recipe says, the hindmost first.

    The prompt says what is in the image `picture`.
    """
    from acetate.pipelines.qwen_layered import LayeredPipeline

    recipe = request.recipe
    if not isinstance(pipeline, LayeredPipeline):
        return _from_the_front(request, pipeline, on_step)
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


def _from_the_front(request: Request, pipeline: Pipeline, on_step: OnStep | None) -> list[Layer]:
    """By a matting network that is here, or by what the model itself lifts out of a picture."""
    direct = pipeline.composition == "direct" and "extract" in FAMILIES[pipeline.family].modes
    found = matting_for(request.recipe, pipeline, needed=not direct)
    if found is None and not direct:
        raise BadRequest(
            f"The model “{pipeline.model}” splits a picture with the help of a matting network, "
            "and none is here.",
            "Take one over with `acetate models import FILE.onnx`.",
        )
    most = request.recipe.layers
    if found is None and most > 2:
        pipeline.ladder.tell("This model splits a picture into two layers, not more.")
        most = 2
    painting = Painting(request, pipeline, on_step, (most - 1) * (1 if found else 2))
    cut: Cut = found or (lambda rest: lifted(painting, rest)[:, 3:])
    fill = _behind(painting) if direct else filled_behind(painting, FILL_STRENGTH["fill"])
    return taken_apart(painting, cut, fill, most)


def _behind(painting: Painting) -> Fill:
    """What the model sees behind a layer of a picture."""

    def fill(rest: Tensor, front: Tensor) -> Tensor:
        pipeline = painting.pipeline
        behind = painting.stage(
            painting.embed(""),
            pipeline.patch_for("behind"),
            conditions=[pipeline.encode_layer(front), pipeline.encode_image(rest)],
            preview=painting.seen,
        )
        return pipeline.decode_image(behind)

    return fill


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
