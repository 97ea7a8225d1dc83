"""Generate a layer: what the prompt names, cut out by its own alpha."""

from __future__ import annotations

import torch
from torch import Tensor

from acetate.images.tensors import bleed, to_image
from acetate.modes.naming import layer_name
from acetate.pipelines.denoising import Denoising
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import OnStep
from acetate_bridge.protocol.types import Layer, Request, Role


def paint(request: Request, pipeline: Pipeline, on_step: OnStep | None = None) -> list[Layer]:
    """One foreground layer of the frame's size."""
    asked = pipeline.prepared(begin(request, pipeline))
    return finish(request, pipeline, pipeline.denoise_prepared(asked, on_step=on_step))


def begin(request: Request, pipeline: Pipeline) -> Denoising:
    """What is to be denoised for a layer; with `finish` it is all of the mode."""
    recipe = request.recipe
    generator = torch.Generator().manual_seed(recipe.seed)
    return Denoising(
        pipeline.draw_noise(recipe.width, recipe.height, generator),
        pipeline.encode_prompt([pipeline.layer_words(recipe.prompt)], [recipe.negative_prompt]),
        recipe.steps,
        recipe.guidance,
        patch=pipeline.patch_for("text"),
        stop_at=recipe.stop_at,
        scheduler=recipe.scheduler,
        generator=generator,
    )


def finish(request: Request, pipeline: Pipeline, latent: Tensor) -> list[Layer]:
    """The layer in a scaled latent [1, C, h, w]."""
    recipe = request.recipe
    rgba = bleed(pipeline.decode_layer(latent, recipe.passes))
    return [
        Layer(
            to_image(rgba, request.pixel_format),
            Role.FOREGROUND,
            layer_name(recipe.prompt),
            recipe=recipe,
        )
    ]
