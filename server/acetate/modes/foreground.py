"""Add something onto what is below: a layer that belongs into an existing picture."""

from __future__ import annotations

from acetate.images.tensors import opaque
from acetate.latent_transparency import composite_over
from acetate.modes.background import AFTER_BLENDING
from acetate.modes.context import Painting
from acetate.modes.instructions import paint_foreground
from acetate.modes.joint_attention import paint_frames
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import OnStep
from acetate_bridge.protocol.types import Layer, Request, Role


def paint(request: Request, pipeline: Pipeline, on_step: OnStep | None = None) -> list[Layer]:
    """A transparent layer for the image `picture`, and the two blended."""
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
