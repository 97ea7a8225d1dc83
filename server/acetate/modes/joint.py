"""Generate a scene in layers: foreground, background, and the two blended."""

from __future__ import annotations

from acetate.images.tensors import opaque
from acetate.latent_transparency import composite_on_grey, composite_over
from acetate.modes.background import blended_and_behind
from acetate.modes.context import Painting
from acetate.modes.joint_attention import paint_frames
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import OnStep
from acetate_bridge.protocol.types import Layer, Request, Role

ROLES = (Role.FOREGROUND, Role.BACKGROUND, Role.BLENDED)


def paint(request: Request, pipeline: Pipeline, on_step: OnStep | None = None) -> list[Layer]:
    """Three layers of the frame's size, each with its own prompt where the recipe has one."""
    if pipeline.composition == "shared":
        painting = Painting(request, pipeline, on_step)
        latents = paint_frames(painting, "joint", ROLES)
        return [
            painting.transparent(latents[Role.FOREGROUND]),
            painting.opaque(latents[Role.BACKGROUND], Role.BACKGROUND),
            painting.opaque(latents[Role.BLENDED], Role.BLENDED),
        ]
    if pipeline.composition == "direct":
        return _directly(Painting(request, pipeline, on_step, stages=2))
    return _in_stages(Painting(request, pipeline, on_step, stages=3))


def _in_stages(painting: Painting) -> list[Layer]:
    pipeline = painting.pipeline
    alone = painting.stage(
        painting.embed(painting.prompt(Role.FOREGROUND)), pipeline.patch_for("text")
    )
    rgba = pipeline.decode_layer(alone, painting.recipe.passes)
    front = pipeline.encode_image(composite_on_grey(rgba))
    around = blended_and_behind(painting, front)
    return [painting.layer(rgba, Role.FOREGROUND), *around]


def _directly(painting: Painting) -> list[Layer]:
    """The foreground first, then a background for it; blended is what the two add up to."""
    pipeline = painting.pipeline
    alone = painting.stage(
        painting.embed(painting.prompt(Role.FOREGROUND)), pipeline.patch_for("joint")
    )
    rgba = pipeline.decode_layer(alone, painting.recipe.passes)
    latent = painting.stage(
        painting.embed(painting.prompt(Role.BACKGROUND)),
        pipeline.patch_for("background"),
        conditions=[pipeline.encode_layer(rgba)],
        preview=painting.seen,
    )
    behind = pipeline.decode_image(latent)
    return [
        painting.layer(rgba, Role.FOREGROUND),
        painting.layer(opaque(behind), Role.BACKGROUND),
        painting.layer(opaque(composite_over(rgba, behind)), Role.BLENDED),
    ]
