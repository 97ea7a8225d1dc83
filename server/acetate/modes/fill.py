"""Paint into a selection of a layer, its transparency included, in view of what is around it."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import adaptive_max_pool2d

from acetate.errors import BadRequest
from acetate.images.selection import freed, mix, strengths
from acetate.images.tensors import blended, opaque
from acetate.latent_transparency import composite_over
from acetate.modes.context import Painting
from acetate.modes.refine import MOST_PLANNED
from acetate.modes.surroundings import continued, matched
from acetate.pipelines.pipeline import Patch, Pipeline
from acetate.pipelines.sampling import OnStep
from acetate_bridge.protocol.types import Layer, Request, Role

_AFTER_BELOW = 0.6
"""Share of the strength that is left to the layer once its colour was found with what is below."""

_SEEN = 0.02
"""Less alpha than this is seen by nobody."""


def paint(request: Request, pipeline: Pipeline, on_step: OnStep | None = None) -> list[Layer]:
    """The image `layer`, painted anew where `mask` is white, and as it was where it is black.

    Painting starts from the surroundings, continued into the selection, and goes as far from
    them as the recipe's strength says. A soft selection is freed bit by bit. With an image
    `below` the colours are found in view of it first. Where the frame is resampled, the result
    has still to be mixed with the layer at the document's own size. Raises BadRequest where
    nothing is selected, and where an expansion leaves the selection empty.
    """
    recipe = request.recipe
    below = "below" in request.images
    painting = Painting(request, pipeline, on_step, stages=2 if below else 1)
    layer = painting.picture("layer")
    free = _free(request).to(layer)
    start = continued(layer, free)
    strength = recipe.strength
    selected = free
    if recipe.fill == "fill" and recipe.prompt:
        filling = pipeline.filled(recipe.prompt, recipe.seed, layer, start, free)
        start, free = filling.start, filling.free
        strength = min(strength, filling.most)
    ground = start
    if below:
        start = _with_below(painting, start, free)
        strength *= _AFTER_BELOW
    if bool((start[:, 3] == 1).all()):
        painted = opaque(paint_picture(painting, start[:, :3], free, strength))
    else:
        latent = pipeline.encode_layer(start)
        patch = pipeline.patch_for("text")
        words = pipeline.layer_words(recipe.prompt)
        latent = _denoised(painting, latent, free, strength, patch, words)
        painted = pipeline.decode_layer(latent, recipe.passes)
    painted = matched(painted.cpu(), ground, free)
    if free is not selected:
        painted = blended(ground, painted, free)
    if recipe.fill == "expand" and not bool((painted[:, 3:] * free > _SEEN).any()):
        raise BadRequest(
            "The layer does not go on where the selection is empty: nothing was painted.",
            "Let the selection touch the layer's edge, or fill it with what the prompt says.",
        )
    result = painting.layer(painted, Role.FOREGROUND)
    if request.frame is None or not request.frame.resampled:
        image = mix(request.images["layer"], result.image, request.images["mask"], recipe.fill)
        result = replace(result, image=image)
    return [result]


def _free(request: Request) -> Tensor:
    """What may change, [1, 1, H, W] in [0, 1]. Raises BadRequest where there is nothing."""
    selection = request.images["mask"]
    if not strengths(selection).any():
        raise BadRequest("Nothing is selected: the mask is black everywhere. White is painted.")
    free = freed(selection, request.images["layer"], request.recipe.fill)
    if not free.any():
        raise BadRequest(
            "The selection does not reach beyond what is painted: there is nothing to expand into."
        )
    return torch.as_tensor(free)[None, None]


def _with_below(painting: Painting, start: Tensor, free: Tensor) -> Tensor:
    """The layer to start from, its colours found in view of the picture below it."""
    below = composite_over(painting.picture("below"), torch.full_like(start[:, :3], 0.5))
    together = paint_picture(painting, composite_over(start, below), free, painting.recipe.strength)
    shown = free * (start[:, 3:] > 0)
    colour = start[:, :3] + (together.to(start) - start[:, :3]) * shown
    return torch.cat([colour, start[:, 3:]], dim=1)


def paint_picture(
    painting: Painting, rgb: Tensor, free: Tensor, strength: float, words: str | None = None
) -> Tensor:
    """An opaque picture [1, 3, H, W], painted anew where it is free, after the recipe's words."""
    latent = painting.pipeline.encode_image(rgb)
    words = painting.recipe.prompt if words is None else words
    latent = _denoised(painting, latent, free, strength, None, words)
    return painting.pipeline.decode_image(latent)


def _denoised(
    painting: Painting,
    latent: Tensor,
    free: Tensor,
    strength: float,
    patch: Patch | None,
    words: str,
) -> Tensor:
    """The latent painted anew; a place is as free as the freest pixel that it stands for."""
    recipe = painting.recipe
    steps = min(recipe.steps, int(MOST_PLANNED * strength))
    if steps == 0:
        return latent
    return painting.stage(
        painting.embed(words),
        patch,
        latent=latent,
        strength=strength,
        freedom=adaptive_max_pool2d(free, latent.shape[-2:]).to(latent),
        steps=steps,
        stop_at=recipe.stop_at if patch is not None else 1.0,
        preview=None if patch is not None else painting.seen,
    )
