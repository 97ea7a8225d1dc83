"""Fill the background around a layer: a picture made for what stands in front of it."""

from __future__ import annotations

from torch import Tensor

from acetate.modes.context import Painting
from acetate.modes.instructions import paint_background
from acetate.modes.joint_attention import paint_frames
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import OnStep
from acetate_bridge.protocol.types import Layer, Request, Role

AFTER_BLENDING = "euler_a"
"""What the authors advise for taking a layer out of a blended picture."""


def paint(request: Request, pipeline: Pipeline, on_step: OnStep | None = None) -> list[Layer]:
    """An opaque background of the frame's size, painted in view of the image `layer`.

    Families that work through the blended picture return that, too.
    """
    if pipeline.composition == "staged":
        return _in_stages(Painting(request, pipeline, on_step, stages=2))
    painting = Painting(request, pipeline, on_step)
    if pipeline.composition == "instructed":
        return paint_background(painting)
    if pipeline.composition == "shared":
        roles = (Role.BACKGROUND, Role.BLENDED)
        latents = paint_frames(painting, "fg2bg", roles, painting.on_grey("layer"))
        return [painting.opaque(latents[role], role) for role in roles]
    latent = painting.stage(
        painting.embed(request.recipe.prompt),
        pipeline.patch_for("background"),
        conditions=[pipeline.encode_layer(painting.picture("layer"))],
        stop_at=request.recipe.stop_at,
        preview=painting.seen,
    )
    return [painting.opaque(latent, Role.BACKGROUND)]


def _in_stages(painting: Painting) -> list[Layer]:
    pipeline = painting.pipeline
    return blended_and_behind(painting, pipeline.encode_image(painting.on_grey("layer")))


def blended_and_behind(painting: Painting, front: Tensor) -> list[Layer]:
    """Two passes around a layer [1, C, h, w]: blended into a picture, then taken out of it.

    Returns the background, and the blended picture.
    """
    pipeline = painting.pipeline
    blended = painting.stage(
        painting.embed(painting.prompt(Role.BLENDED)),
        pipeline.patch_for("fg2ble"),
        conditions=[front],
        preview=painting.seen,
    )
    behind = painting.stage(
        painting.embed(painting.prompt(Role.BACKGROUND)),
        pipeline.patch_for("fgble2bg"),
        conditions=[front, blended],
        stop_at=painting.recipe.stop_at,
        scheduler=AFTER_BLENDING,
        preview=painting.seen,
    )
    return [painting.opaque(behind, Role.BACKGROUND), painting.opaque(blended, Role.BLENDED)]
