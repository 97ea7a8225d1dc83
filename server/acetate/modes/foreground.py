"""Add something onto what is below: a layer that belongs into an existing picture."""

from __future__ import annotations

from dataclasses import replace

from acetate.images.stacking import stack
from acetate.images.tensors import opaque
from acetate.latent_transparency import composite_over
from acetate.modes.background import AFTER_BLENDING
from acetate.modes.context import Painting
from acetate.modes.instructions import paint_foreground
from acetate.modes.joint_attention import paint_frames
from acetate.modes.run import image_hash
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import OnStep, Step
from acetate_bridge.protocol.seeds import variant_seed
from acetate_bridge.protocol.types import Layer, Request, Role


def paint(request: Request, pipeline: Pipeline, on_step: OnStep | None = None) -> list[Layer]:
    """A transparent layer for the image `picture`, and the two blended.

    With `Recipe.then` one layer for each prompt, the hindmost first, each in view of those before:
    seeds count up, and the recipe of each is that of its layer alone.
    """
    if request.recipe.then:
        return _one_after_another(request, pipeline, on_step)
    if pipeline.composition == "instructed":
        return paint_foreground(Painting(request, pipeline, on_step))
    if pipeline.composition == "shared":
        painting = Painting(request, pipeline, on_step)
        roles = (Role.FOREGROUND, Role.BLENDED)
        latents = paint_frames(painting, "bg2fg", roles, painting.on_grey("picture"))
        return [
            painting.transparent(latents[Role.FOREGROUND]),
            painting.opaque(latents[Role.BLENDED], Role.BLENDED),
        ]
    if pipeline.composition == "direct":
        return _directly(Painting(request, pipeline, on_step))
    painting = Painting(request, pipeline, on_step, stages=2)
    below = pipeline.encode_image(painting.on_grey("picture"))
    blended = painting.stage(
        painting.embed(painting.prompt(Role.BLENDED)),
        pipeline.patch_for("bg2ble"),
        conditions=[below],
        preview=painting.seen,
    )
    added = painting.stage(
        painting.embed(painting.prompt(Role.FOREGROUND)),
        pipeline.patch_for("bgble2fg"),
        conditions=[below, blended],
        stop_at=request.recipe.stop_at,
        scheduler=AFTER_BLENDING,
    )
    return [painting.transparent(added), painting.opaque(blended, Role.BLENDED)]


def _one_after_another(request: Request, pipeline: Pipeline, on_step: OnStep | None) -> list[Layer]:
    picture, layers = request.images["picture"], list[Layer]()
    prompts = (request.recipe.prompt, *request.recipe.then)
    for index, prompt in enumerate(prompts):
        images = {**request.images, "picture": picture}
        recipe = replace(
            request.recipe,
            prompt=prompt,
            then=[],
            seed=variant_seed(request.recipe.seed, index),
            layer_prompts={} if index else request.recipe.layer_prompts,
            inputs={name: image_hash(image) for name, image in images.items()},
        )
        counting = _counting(on_step, index, len(prompts))
        single = replace(request, recipe=recipe, images=images)
        painted = next(
            layer for layer in paint(single, pipeline, counting) if layer.role is Role.FOREGROUND
        )
        layers.append(painted)
        picture = stack(painted.image, picture)
    return layers


def _counting(on_step: OnStep | None, index: int, count: int) -> OnStep | None:
    """Steps of one layer counted over all of them."""
    if on_step is None:
        return None

    def count_on(step: Step) -> None:
        on_step(replace(step, index=index * step.total + step.index, total=count * step.total))

    return count_on


def _directly(painting: Painting) -> list[Layer]:
    """The layer straight from the picture; blended is what the two add up to."""
    pipeline = painting.pipeline
    below = painting.on_grey("picture")
    added = painting.stage(
        painting.embed(painting.prompt(Role.FOREGROUND)),
        pipeline.patch_for("foreground"),
        conditions=[pipeline.encode_image(below)],
    )
    rgba = pipeline.decode_layer(added, painting.recipe.passes).cpu()
    blended = opaque(composite_over(rgba, below))
    return [painting.layer(rgba, Role.FOREGROUND), painting.layer(blended, Role.BLENDED)]
