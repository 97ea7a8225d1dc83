"""What every request has to fulfil before a model looks at it."""

from __future__ import annotations

import math

from acetate.errors import BadRequest
from acetate.models.families import second_pass
from acetate.modes.registry import mode_named
from acetate_bridge.protocol.geometry import FrameLimits, Size
from acetate_bridge.protocol.types import Recipe, Request

MOST_STEPS = 150
MOST_VARIANTS = 16
MOST_GUIDANCE = 30.0
PROMPT_CHARACTERS = 2000
PASSES = (1, 2, 4, 8)
MOST_STYLES = 16
LAYERS = (2, 8)
STYLE_WEIGHTS = (-4.0, 4.0)
CONTROL_STRENGTHS = (0.0, 2.0)
LARGEST_SEED = 2**53 - 1
"""The largest integer that every client's numbers can hold."""


def check_request(request: Request, limits: FrameLimits) -> None:
    """Raise BadRequest with the first thing that is wrong, as a sentence."""
    check_recipe(request.recipe)
    if request.recipe.mode == "refine":
        limits = second_pass(limits)
    mode = mode_named(request.recipe.mode)
    if not 1 <= request.variants <= MOST_VARIANTS:
        raise BadRequest(f"Ask for 1 to {MOST_VARIANTS} variants, not {request.variants}.")
    for wanted in mode.info.inputs:
        if wanted.required and wanted.name not in request.images:
            raise BadRequest(f"The mode “{mode.info.name}” needs {wanted.words}.")
    recipe = request.recipe
    if recipe.control is not None and "control" not in request.images:
        raise BadRequest("There is no control image to follow.")
    if recipe.width < 1 or recipe.height < 1 or not limits.allow(Size(recipe.width, recipe.height)):
        raise BadRequest(
            f"This model cannot paint at {recipe.width} × {recipe.height} pixels: sides must be "
            f"multiples of {limits.multiple} between {limits.lowest} and {limits.highest}, "
            f"with at most {limits.most_pixels} pixels in all."
        )
    for name, image in request.images.items():
        if (image.width, image.height) != (recipe.width, recipe.height):
            raise BadRequest(
                f"The image “{name}” has {image.width} × {image.height} pixels, "
                f"but the frame has {recipe.width} × {recipe.height}."
            )


def check_recipe(recipe: Recipe) -> None:
    """Raise BadRequest unless the numbers and words of a recipe make sense for any model."""
    mode_named(recipe.mode)
    if not any(words.strip() for words in (recipe.prompt, *recipe.layer_prompts.values())):
        raise BadRequest("The prompt is empty: say what to paint.")
    for words in (recipe.prompt, recipe.negative_prompt):
        if len(words) > PROMPT_CHARACTERS:
            raise BadRequest(f"A prompt may have {PROMPT_CHARACTERS} characters, not {len(words)}.")
    if not 1 <= recipe.steps <= MOST_STEPS:
        raise BadRequest(f"Ask for 1 to {MOST_STEPS} steps, not {recipe.steps}.")
    if not math.isfinite(recipe.guidance) or not 0 <= recipe.guidance <= MOST_GUIDANCE:
        raise BadRequest(f"Guidance lies between 0 and {MOST_GUIDANCE:g}, not {recipe.guidance}.")
    if not 0 < recipe.strength <= 1:
        raise BadRequest(f"Strength lies above 0 and up to 1, not {recipe.strength}.")
    if not 0 <= recipe.stop_at <= 1:
        raise BadRequest(f"The share to stop at lies between 0 and 1, not {recipe.stop_at}.")
    if recipe.passes not in PASSES:
        raise BadRequest(f"A layer is decoded in 1, 2, 4 or 8 passes, not {recipe.passes}.")
    if not LAYERS[0] <= recipe.layers <= LAYERS[1]:
        raise BadRequest(f"A picture is split into 2 to 8 layers, not {recipe.layers}.")
    if len(recipe.styles) > MOST_STYLES:
        raise BadRequest(f"Take at most {MOST_STYLES} styles, not {len(recipe.styles)}.")
    for name, weight in recipe.styles.items():
        if not STYLE_WEIGHTS[0] <= weight <= STYLE_WEIGHTS[1]:
            raise BadRequest(f"The weight of a style lies between -4 and 4, not {weight} ({name}).")
    control = recipe.control
    if control and not CONTROL_STRENGTHS[0] <= control.strength <= CONTROL_STRENGTHS[1]:
        raise BadRequest(
            f"The strength of the control lies between 0 and 2, not {control.strength}."
        )
    if not 0 <= recipe.seed <= LARGEST_SEED:
        raise BadRequest(f"A seed lies between 0 and {LARGEST_SEED}, not {recipe.seed}.")
