"""Lift this out of the picture: the other layer of a picture of which one is known."""

from __future__ import annotations

from acetate.errors import BadRequest
from acetate.modes.background import AFTER_BLENDING
from acetate.modes.context import Painting
from acetate.modes.instructions import paint_other
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import OnStep
from acetate_bridge.protocol.types import Layer, Request, Role


def paint(request: Request, pipeline: Pipeline, on_step: OnStep | None = None) -> list[Layer]:
    """From `picture` and its `background` the foreground, or from its `layer` the background."""
    known = [name for name in ("background", "layer") if name in request.images]
    if len(known) != 1:
        raise BadRequest("Give either the background of the picture or the layer in front of it.")
    painting = Painting(request, pipeline, on_step)
    if pipeline.composition == "instructed":
        return paint_other(painting, known[0])
    if pipeline.composition == "direct":
        return [_directly(painting, known[0])]
    conditions = [pipeline.encode_image(painting.on_grey(name)) for name in (known[0], "picture")]
    role = Role.FOREGROUND if known == ["background"] else Role.BACKGROUND
    to_foreground = role is Role.FOREGROUND
    latent = painting.stage(
        painting.embed(painting.prompt(role)),
        pipeline.patch_for("bgble2fg" if to_foreground else "fgble2bg"),
        conditions=conditions,
        stop_at=request.recipe.stop_at,
        scheduler=AFTER_BLENDING,
        preview=None if to_foreground else painting.seen,
    )
    return [painting.transparent(latent) if to_foreground else painting.opaque(latent, role)]


def _directly(painting: Painting, known: str) -> Layer:
    """What is missing of a picture, from the picture and what is known of it."""
    pipeline = painting.pipeline
    picture = pipeline.encode_image(painting.on_grey("picture"))
    if known == "background":
        beside, role = pipeline.encode_image(painting.on_grey(known)), Role.FOREGROUND
    else:
        beside, role = pipeline.encode_layer(painting.picture(known)), Role.BACKGROUND
    to_foreground = role is Role.FOREGROUND
    latent = painting.stage(
        painting.embed(painting.prompt(role)),
        pipeline.patch_for("extract" if to_foreground else "behind"),
        conditions=[beside, picture],
        preview=None if to_foreground else painting.seen,
    )
    return painting.transparent(latent) if to_foreground else painting.opaque(latent, role)
