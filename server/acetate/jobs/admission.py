"""What a request may ask for, checked before it becomes a job."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from acetate.errors import BadRequest
from acetate.jobs.records import Refused
from acetate.models.families import FAMILIES, check_size, frames_of
from acetate.models.shipped import EMBEDDED
from acetate.workers.engine import Announcement
from acetate_bridge.protocol.following import controls_of, followed, missing_control
from acetate_bridge.protocol.frame_planning import Frame
from acetate_bridge.protocol.geometry import Size
from acetate_bridge.protocol.limits import (
    LARGEST_SIDE,
    PROMPT_CHARACTERS,
    STEPS,
    VARIANTS,
    OutOfBounds,
    check_recipe,
)
from acetate_bridge.protocol.messages import Limits, ModelInfo, Submit

DEFAULT_LIMITS = Limits(
    message_bytes=256 * 2**20,
    image_pixels=64 * 2**20,
    queued_jobs=64,
    variants=int(VARIANTS.most),
    steps=int(STEPS.most),
    side=LARGEST_SIDE,
    prompt_characters=PROMPT_CHARACTERS,
)

_JOB_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOST_IMAGES = 16
_MOST_FILES = 256
_LONGEST_NAME = 200
_FARTHEST = 2**24


def check_submit(submit: Submit, limits: Limits, offer: Announcement | None) -> None:
    """Raise Refused with a sentence about the first thing that cannot be done.

    Without an offer modes and models are left for the worker to judge.
    """
    if not _JOB_ID.fullmatch(submit.job):
        raise Refused("bad_job_id", "A job id has 8 to 64 letters, digits, - and _.")
    if offer is not None and not offer.modes:
        offer = None
    if offer is not None:
        _check_offer(submit, offer)
    _check_recipe(submit, limits)
    _check_images(submit, limits)
    if submit.frame is not None:
        _check_frame(submit.frame, submit, limits)
    if offer is not None:
        _check_model(submit, offer)
        _check_inputs(submit, offer)


def is_digest(text: str) -> bool:
    """Whether a text can be the SHA-256 of something."""
    return _DIGEST.fullmatch(text) is not None


def _check_recipe(submit: Submit, limits: Limits) -> None:
    recipe = submit.recipe
    try:
        check_recipe(recipe)
        replace(STEPS, most=limits.steps).check(recipe.steps)
        replace(VARIANTS, most=limits.variants).check(submit.variants)
    except OutOfBounds as error:
        raise Refused(error.code, error.message) from None
    for text in (recipe.prompt, recipe.negative_prompt, *recipe.layer_prompts.values()):
        if len(text) > limits.prompt_characters:
            raise Refused(
                "too_large",
                f"A prompt may have {limits.prompt_characters} characters, not {len(text)}.",
            )
    _between("width", recipe.width, 0, limits.side)
    _between("height", recipe.height, 0, limits.side)
    if recipe.width * recipe.height > limits.image_pixels:
        raise Refused("too_large", f"A frame may have {limits.image_pixels} pixels.")
    if len(recipe.layer_prompts) > _MOST_IMAGES:
        raise Refused("too_large", f"There may be {_MOST_IMAGES} layer prompts.")
    if len(recipe.files) > _MOST_FILES:
        raise Refused("too_large", f"There may be {_MOST_FILES} files.")
    if any(len(name) > _LONGEST_NAME for name in (*recipe.styles, *recipe.files)):
        raise Refused("too_large", f"A name may have {_LONGEST_NAME} characters.")


def _check_images(submit: Submit, limits: Limits) -> None:
    if len(submit.images) > _MOST_IMAGES:
        raise Refused("too_large", f"A job may have {_MOST_IMAGES} images.")
    for name, image in submit.images.items():
        if not is_digest(image.sha256):
            raise Refused("bad_image", f"The image {name[:40]!r} is not named by its SHA-256.")
        if min(image.width, image.height) < 1:
            raise Refused("bad_image", f"The image {name[:40]!r} has no size.")
        if image.width * image.height > limits.image_pixels:
            raise Refused("image_too_large", f"An image may have {limits.image_pixels} pixels.")


def _check_frame(frame: Frame, submit: Submit, limits: Limits) -> None:
    for rect in (frame.region, frame.canvas):
        _between("place", rect.x, -_FARTHEST, _FARTHEST)
        _between("place", rect.y, -_FARTHEST, _FARTHEST)
        _between("side", max(rect.width, rect.height), 1, 4 * limits.side)
        if rect.size.pixels > limits.image_pixels:
            raise Refused("image_too_large", f"A region may have {limits.image_pixels} pixels.")
    _between("side", max(frame.size.width, frame.size.height), 1, limits.side)
    recipe = submit.recipe
    if (recipe.width, recipe.height) not in ((0, 0), (frame.size.width, frame.size.height)):
        raise Refused("bad_request", "The recipe's size and the frame's size differ.")


def _check_offer(submit: Submit, offer: Announcement) -> None:
    recipe = submit.recipe
    if recipe.mode not in (mode.name for mode in offer.modes):
        known = ", ".join(mode.name for mode in offer.modes)
        raise Refused("unknown_mode", f"There is no mode {recipe.mode[:40]!r} (known: {known}).")
    if recipe.model and recipe.model not in (model.id for model in offer.models):
        known = ", ".join(model.id for model in offer.models)
        raise Refused("unknown_model", f"There is no model {recipe.model[:40]!r} (known: {known}).")
    model = _model(submit, offer)
    if model is not None and model.state != "ready":
        raise Refused(
            "model_missing", f"{model.name or model.id} cannot be used yet.", model.reason
        )


def _check_model(submit: Submit, offer: Announcement) -> None:
    """The bounds that a model announces are those that it keeps."""
    model, mode = _model(submit, offer), submit.recipe.mode
    if model is None:
        return
    if model.modes and mode not in model.modes:
        raise Refused(
            "bad_request",
            f"The model “{model.name or model.id}” cannot do the mode “{mode}”: it does "
            f"{', '.join(model.modes)}.",
        )
    size = submit.frame.size if submit.frame is not None else submit.recipe
    if model.frame is not None and (size.width or size.height):
        try:
            check_size(size.width, size.height, frames_of(mode, model.frame))
        except BadRequest as error:
            raise Refused(error.code, error.message) from None

    if model.family in FAMILIES:
        try:
            FAMILIES[model.family].check_scheduler(submit.recipe.scheduler)
        except BadRequest as error:
            raise Refused(error.code, error.message) from None
        _check_control(submit, model)
        known = {name for style in model.styles for name in (style, Path(style).stem)}
        for style in submit.recipe.styles:
            if style not in known:
                raise Refused(
                    "bad_request",
                    f"There is no style called {style[:40]!r} for {model.name or model.id}.",
                    f"There are {', '.join(model.styles)}." if model.styles else "",
                )


def _check_control(submit: Submit, model: ModelInfo) -> None:
    for control in controls_of(submit.recipe):
        if control.model or control.kind in model.controls:
            continue
        follows = f"It follows {', '.join(model.controls)}." if model.controls else ""
        raise Refused(
            "bad_request",
            f"There is no control network that follows {control.kind} with “{model.id}”.",
            follows or "Take one over with `acetate models import`.",
        )


def _check_inputs(submit: Submit, offer: Announcement) -> None:
    """What a mode works on is there, and at a size that fits the frame."""
    mode = next(mode for mode in offer.modes if mode.name == submit.recipe.mode)
    for wanted in mode.inputs:
        if wanted.required and wanted.name not in submit.images:
            raise Refused("bad_request", f"The mode “{mode.name}” needs {wanted.words}.")
    for name in followed(submit.recipe):
        if name not in submit.images:
            raise Refused("bad_request", missing_control(name))
    if submit.frame is not None:
        sizes = {submit.frame.size, submit.frame.canvas.size}
    elif submit.recipe.width and submit.recipe.height:
        sizes = {Size(submit.recipe.width, submit.recipe.height)}
    else:
        return
    for name, image in submit.images.items():
        if Size(image.width, image.height) not in sizes:
            shown = " or ".join(sorted(f"{size.width} × {size.height}" for size in sizes))
            raise Refused(
                "bad_request",
                f"The image {name[:40]!r} has {image.width} × {image.height} pixels, "
                f"but the frame has {shown}.",
            )


def _model(submit: Submit, offer: Announcement) -> ModelInfo | None:
    model = submit.recipe.model
    return next((each for each in offer.models if each.id == (model or EMBEDDED)), None)


def _between(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise Refused("bad_request", f"{name} must lie between {least} and {most}.")
