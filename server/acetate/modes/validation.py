"""What every request has to fulfil before a model looks at it."""

from __future__ import annotations

from acetate.errors import BadRequest
from acetate.models.families import check_size, frames_of
from acetate.modes.registry import mode_named
from acetate_bridge.protocol import limits
from acetate_bridge.protocol.following import followed, missing_control
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.geometry import Size
from acetate_bridge.protocol.limits import VARIANTS, OutOfBounds
from acetate_bridge.protocol.types import Recipe, Request


def check_request(request: Request, frames: FrameLimits) -> None:
    """Raise BadRequest with the first thing that is wrong, as a sentence."""
    recipe = request.recipe
    check_recipe(recipe)
    check_variants(request.variants)
    mode = mode_named(recipe.mode)
    for wanted in mode.info.inputs:
        if wanted.required and wanted.name not in request.images:
            raise BadRequest(f"The mode “{mode.info.name}” needs {wanted.words}.")
    for name in followed(recipe):
        if name not in request.images:
            raise BadRequest(missing_control(name))
    check_size(recipe.width, recipe.height, frames_of(recipe.mode, frames))
    for name, image in request.images.items():
        if (image.width, image.height) != (recipe.width, recipe.height):
            raise BadRequest(
                f"The image “{name}” has {image.width} × {image.height} pixels, "
                f"but the frame has {recipe.width} × {recipe.height}."
            )


def check_recipe(recipe: Recipe) -> None:
    """Raise BadRequest unless the numbers and words of a recipe make sense for any model."""
    mode_named(recipe.mode)
    try:
        limits.check_recipe(recipe)
    except OutOfBounds as error:
        raise BadRequest(error.message) from None


def check_enlarging(recipe: Recipe, size: Size) -> None:
    """Raise BadRequest unless a layer of this size can be worked on as the recipe says."""
    try:
        limits.check_scale(recipe, size.width, size.height)
    except OutOfBounds as error:
        raise BadRequest(error.message) from None


def check_variants(variants: int) -> None:
    """Raise BadRequest unless so many can be asked for at once."""
    try:
        VARIANTS.check(variants)
    except OutOfBounds as error:
        raise BadRequest(error.message) from None
