"""Jobs over plain HTTP: submit, look, cancel, fetch, thank."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, cast

import msgspec
from aiohttp import web

from acetate.app.bodies import read_json
from acetate.app.context import CONTEXT, Context
from acetate.app.incoming import read_counted
from acetate.app.outgoing import send_whole
from acetate.app.responses import answer, refusal
from acetate.app.script_feed import SCRIPTS
from acetate.app.validation import build
from acetate.images.png_texts import with_texts
from acetate.images.recipe_texts import RECIPE_KEY, recipe_text
from acetate.jobs.records import JobRecord, Refused
from acetate.models.families import FAMILIES
from acetate.models.shipped import EMBEDDED
from acetate_bridge.protocol.codec import IMAGE_PIXELS, BadFrame
from acetate_bridge.protocol.messages import ImageReference, ModelInfo, Progress, Submit
from acetate_bridge.protocol.png import write_png
from acetate_bridge.protocol.types import BYTES_PER_PIXEL, Image, PixelFormat, Recipe

_MOST_LISTED = 200
PICTURES = (
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/tiff",
    "image/avif",
    "image/gif",
    "image/bmp",
    "image/openraster",
    "application/x-krita",
    "image/vnd.adobe.photoshop",
)
"""Kinds of files that are taken as input images; what one really is, its bytes say."""


@dataclass(frozen=True)
class LayerSummary:
    """A layer of a job; its pixels are at `/v1/jobs/{job}/layers/{index}`."""

    index: int
    variant: int
    role: str
    name: str
    x: int
    y: int
    width: int
    height: int
    recipe: Recipe | None


@dataclass(frozen=True)
class JobStatus:
    """A job as scripts see it; `ahead` counts the jobs that stand before it while it waits."""

    job: str
    state: str
    recipe: Recipe
    created: float
    acknowledged: bool
    code: str = ""
    message: str = ""
    hint: str = ""
    progress: Progress | None = None
    layers: list[LayerSummary] | None = None
    ahead: int = 0


@dataclass(frozen=True)
class MoveOrder:
    """Where a waiting job goes: right before this one, or last of all."""

    before: str = ""


async def list_jobs(request: web.Request) -> web.Response:
    context = request.app[CONTEXT]
    records = await context.manager.jobs(SCRIPTS, _MOST_LISTED)
    waiting = context.manager.waiting(SCRIPTS)
    return answer(
        [
            _status(record, context.manager.progress(record.job), None, waiting.get(record.job, 0))
            for record in records
        ]
    )


async def submit_job(request: web.Request) -> web.Response:
    value = await read_json(request)
    if isinstance(value, dict):
        cast("dict[str, Any]", value).setdefault("job", uuid.uuid4().hex)
    submit = build(Submit, value)
    manager = request.app[CONTEXT].manager
    given: Any = cast("dict[str, Any]", value)["recipe"]
    model = manager.offers.model(submit.recipe.model or EMBEDDED)
    submit = replace(submit, recipe=advised(submit.recipe, given, model))
    await manager.submit(SCRIPTS, submit)
    return await _job_answer(request, submit.job, 202)


def advised(recipe: Recipe, given: Collection[str], model: ModelInfo | None) -> Recipe:
    """The recipe with the steps and the guidance that suit its model, where they are not given.

    A script that leaves them out wants a good picture; only the model knows what makes one.
    """
    if model is None or model.family not in FAMILIES:
        return recipe
    steps, guidance = model.steps, model.guidance
    if recipe.scheduler:
        steps, guidance = FAMILIES[model.family].advice(recipe.scheduler)
    advice = {"steps": steps, "guidance": guidance} if steps else {}
    return replace(recipe, **{name: each for name, each in advice.items() if name not in given})


async def show_job(request: web.Request) -> web.Response:
    return await _job_answer(request, request.match_info["job"], 200)


async def cancel_job(request: web.Request) -> web.Response:
    manager = request.app[CONTEXT].manager
    await manager.cancel(SCRIPTS, request.match_info["job"])
    return await _job_answer(request, request.match_info["job"], 202)


async def promote_job(request: web.Request) -> web.Response:
    manager = request.app[CONTEXT].manager
    job = request.match_info["job"]
    if await manager.record(SCRIPTS, job) and not await manager.promote(SCRIPTS, job):
        return refusal(409, "not_waiting", "The job does not wait any more.")
    return await _job_answer(request, job, 200)


async def move_job(request: web.Request) -> web.Response:
    manager = request.app[CONTEXT].manager
    job = request.match_info["job"]
    order = build(MoveOrder, await read_json(request))
    if await manager.record(SCRIPTS, job) and not await manager.move(SCRIPTS, job, order.before):
        return refusal(409, "not_waiting", "One of the two jobs does not wait any more.")
    return await _job_answer(request, job, 200)


async def acknowledge_job(request: web.Request) -> web.Response:
    job = request.match_info["job"]
    manager = request.app[CONTEXT].manager
    if await manager.record(SCRIPTS, job):
        if not await manager.acknowledge(SCRIPTS, job):
            return refusal(409, "not_ended", "The job has not ended yet.")
        request.app[CONTEXT].scripts.changed(job)
    return await _job_answer(request, job, 200)


async def show_layer(request: web.Request) -> web.StreamResponse:
    context = request.app[CONTEXT]
    job, index = request.match_info["job"], request.match_info["index"]
    if not index.isdecimal() or len(index) > 6 or not await context.manager.record(SCRIPTS, job):
        return refusal(404, "not_found", "There is no such layer.")
    layers = await context.ledger.read(context.ledger.store.layers, job)
    for stored in layers:
        if stored.index == int(index):
            async with context.outgoing.room(stored.pixel_bytes):
                try:
                    image = await context.ledger.load_layer(stored)
                except (OSError, ValueError):
                    break
                body = await asyncio.to_thread(_with_recipe, image, stored.recipe)
                return await send_whole(request, body, "image/png")
    return refusal(404, "not_found", "There is no such layer.")


async def upload_image(request: web.Request) -> web.Response:
    context = request.app[CONTEXT]
    if (request.content_length or 0) > context.manager.limits.message_bytes:
        raise Refused("too_large", "The image is too large.")
    kind = request.content_type
    if kind not in (*PICTURES, "application/octet-stream"):
        return refusal(
            415, "bad_type", f"Send {', '.join(PICTURES)}, or application/octet-stream with a size."
        )
    size = None if kind in PICTURES else _raw_size(request)
    with context.incoming.counted() as account:
        body = await read_counted(request, account, context.incoming)
        if size is None:
            return answer(await context.uploads.keep_file(body), 201)
        width, height, pixel_format = size
        try:
            image = Image(width, height, body, pixel_format)
        except ValueError as error:
            raise BadFrame("bad_image", str(error)) from None
        digest = await context.uploads.keep(image)
        return answer(ImageReference(digest, width, height, pixel_format), 201)


async def _job_answer(request: web.Request, job: str, status: int) -> web.Response:
    found = await job_status(request.app[CONTEXT], job)
    if found is None:
        return refusal(404, "not_found", "There is no such job.")
    return answer(found, status)


async def job_status(context: Context, job: str) -> JobStatus | None:
    """A job of scripts with its layers; None when there is none of that name."""
    record = await context.manager.record(SCRIPTS, job)
    if record is None:
        return None
    stored = await context.ledger.read(context.ledger.store.layers, job)
    layers = [
        LayerSummary(
            layer.index,
            layer.variant,
            layer.role.value,
            layer.name,
            layer.x,
            layer.y,
            layer.width,
            layer.height,
            layer.recipe,
        )
        for layer in stored
    ]
    ahead = context.manager.waiting(SCRIPTS).get(job, 0)
    return _status(record, context.manager.progress(job), layers, ahead)


def _status(
    record: JobRecord,
    progress: Progress | None,
    layers: list[LayerSummary] | None = None,
    ahead: int = 0,
) -> JobStatus:
    return JobStatus(
        record.job,
        record.state,
        record.submit.recipe,
        record.created,
        record.acknowledged,
        record.code,
        record.message,
        record.hint,
        progress,
        layers,
        ahead,
    )


def _with_recipe(image: Image, recipe: Recipe | None) -> bytes:
    text = recipe_text(recipe)
    return with_texts(write_png(image), {RECIPE_KEY: text} if text else {})


def _raw_size(request: web.Request) -> tuple[int, int, PixelFormat]:
    """Width, height and format of raw pixels, as the query says."""
    try:
        width, height = (
            msgspec.convert(request.query[side], int, strict=False) for side in ("width", "height")
        )
    except (KeyError, msgspec.ValidationError):
        raise BadFrame("bad_image", "Raw pixels need width and height in the query.") from None
    pixel_format = request.query.get("format", "rgba8")
    if pixel_format not in BYTES_PER_PIXEL:
        raise BadFrame("bad_image", "The format is rgba8 or rgba16.")
    _check_pixels(width, height)
    return width, height, pixel_format


def _check_pixels(width: int, height: int) -> None:
    if width < 1 or height < 1 or width * height > IMAGE_PIXELS:
        raise BadFrame("image_too_large", f"An image has 1 to {IMAGE_PIXELS} pixels.")
