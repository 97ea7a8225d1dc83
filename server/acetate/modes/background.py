"""Fill the background around a layer: a picture made for what stands in front of it."""

from __future__ import annotations

import torch
from torch import Tensor

from acetate.modes.naming import layer_name
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import OnStep
from acetate.pixels.tensors import opaque, to_image, to_tensor
from acetate_bridge.messages import Layer, Request, Role


def paint(request: Request, pipeline: Pipeline, on_step: OnStep | None = None) -> list[Layer]:
    """One opaque background of the frame's size, painted in view of the image `layer`."""
    recipe = request.recipe
    generator = torch.Generator().manual_seed(recipe.seed)

    def preview(latent: Tensor) -> Tensor:
        return opaque(pipeline.decode_image(latent))

    latent = pipeline.denoise(
        pipeline.draw_noise(recipe.width, recipe.height, generator),
        pipeline.encode_prompt([recipe.prompt], [recipe.negative_prompt]),
        steps=recipe.steps,
        guidance=recipe.guidance,
        conditions=[pipeline.encode_layer(to_tensor(request.images["layer"]))],
        patch=pipeline.patch_for("background"),
        stop_at=recipe.stop_at,
        scheduler=recipe.scheduler,
        generator=generator,
        preview=preview,
        on_step=on_step,
    )
    return [
        Layer(
            to_image(opaque(pipeline.decode_image(latent)), request.pixel_format),
            Role.BACKGROUND,
            layer_name(recipe.prompt),
            recipe=recipe,
        )
    ]
