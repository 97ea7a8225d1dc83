"""Repaint this layer: image to image, with its transparency."""

from __future__ import annotations

import torch
from torch import Tensor

from acetate.latent_transparency import pad_colour
from acetate.modes.context import Painting
from acetate.modes.instructions import change_of_layer
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import OnStep
from acetate_bridge.protocol.types import Layer, Request, Role

MOST_PLANNED = 1000
"""Steps of the longest schedule: as many as the models were trained with."""


def paint(request: Request, pipeline: Pipeline, on_step: OnStep | None = None) -> list[Layer]:
    """The image `layer`, repainted as far as the recipe's strength goes.

    Also the second pass of an upscale: give the enlarged layer at the larger frame. A strength
    below one training step returns the layer as the model knows it. A family that is instructed
    also looks at the layer, and does to it what the prompt says. Where the transparency is
    to be kept, the layer has the alpha that it came with, and the repainted colour.
    """
    recipe = request.recipe
    painting = Painting(request, pipeline, on_step)
    latent = pipeline.encode_layer(painting.picture("layer"))
    steps = min(recipe.steps, int(MOST_PLANNED * recipe.strength))
    if steps > 0:
        told = pipeline.composition == "instructed"
        words = pipeline.layer_words(recipe.prompt)
        latent = painting.stage(
            change_of_layer(painting) if told else painting.embed(words),
            pipeline.patch_for("text"),
            latent=latent,
            strength=recipe.strength,
            steps=steps,
            stop_at=recipe.stop_at,
        )
    if not recipe.keep_transparency:
        return [painting.transparent(latent)]
    repainted = pipeline.decode_layer(latent, recipe.passes)
    return [painting.layer(with_alpha_of(painting.picture("layer"), repainted), Role.FOREGROUND)]


def with_alpha_of(source: Tensor, repainted: Tensor) -> Tensor:
    """The source's alpha over the repainted colour, both straight [B, 4, H, W].

    Where the repainted layer lets something through, its visible colour is continued.
    """
    return torch.cat([pad_colour(repainted), source[:, 3:].to(repainted)], dim=1)
