"""Repaint this layer: image to image, with its transparency."""

from __future__ import annotations

from acetate.modes.painting import Painting
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import OnStep
from acetate_bridge.messages import Layer, Request

MOST_PLANNED = 1000
"""Steps of the longest schedule: as many as the models were trained with."""


def paint(request: Request, pipeline: Pipeline, on_step: OnStep | None = None) -> list[Layer]:
    """The image `layer`, repainted as far as the recipe's strength goes.

    Also the second pass of an upscale: give the enlarged layer at the larger frame. A strength
    below one training step returns the layer as the model knows it.
    """
    recipe = request.recipe
    painting = Painting(request, pipeline, on_step)
    latent = pipeline.encode_layer(painting.picture("layer"))
    steps = min(recipe.steps, int(MOST_PLANNED * recipe.strength))
    if steps > 0:
        latent = painting.stage(
            painting.embed(recipe.prompt),
            pipeline.patch_for("text"),
            latent=latent,
            strength=recipe.strength,
            steps=steps,
            stop_at=recipe.stop_at,
        )
    return [painting.transparent(latent)]
