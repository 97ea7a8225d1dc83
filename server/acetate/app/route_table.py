"""The same jobs over plain HTTP, for scripts: every route in one table."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

import acetate
from acetate.app.context import CONTEXT
from acetate.app.event_stream import follow_jobs
from acetate.app.frame_routes import FrameWish, plan
from acetate.app.index_page import page
from acetate.app.job_routes import (
    PICTURES,
    JobStatus,
    MoveOrder,
    acknowledge_job,
    cancel_job,
    list_jobs,
    move_job,
    promote_job,
    show_job,
    show_layer,
    submit_job,
    upload_image,
)
from acetate.app.metrics import show_metrics
from acetate.app.model_routes import (
    Offer,
    PullOrder,
    look_again,
    models,
    pause_model,
    pull_model,
    remove_model,
    show_model,
)
from acetate.app.openapi import document
from acetate.app.pairing_routes import (
    PAIRINGS_PATH,
    Invitation,
    Paired,
    PairingBegin,
    PairingBegun,
    PairingProof,
    begin_pairing,
    finish_pairing,
    invite,
)
from acetate.app.picture_routes import export_job, show_preview
from acetate.app.responses import answer, refusal
from acetate.app.route import Route
from acetate.app.setup_route import show_setup
from acetate.app.sign_in import KEYS_PATH, PageKey, PageLink, make_link, make_page_key
from acetate.app.websocket import Session
from acetate_bridge.protocol.frame_planning import Frame
from acetate_bridge.protocol.messages import PROTOCOL, ImageReference, ModelInfo, Submit
from acetate_bridge.protocol.setup import Setup


@dataclass(frozen=True)
class Health:
    """Answer of `/v1/health`."""

    server: str
    protocol: int
    ready: bool


async def health(request: web.Request) -> web.Response:
    manager = request.app[CONTEXT].manager
    return answer(Health(f"acetate {acetate.__version__}", PROTOCOL, manager.offer is not None))


async def describe(request: web.Request) -> web.Response:
    return answer(document(ROUTES))


async def session(request: web.Request) -> web.StreamResponse:
    context = request.app[CONTEXT]
    if len(context.sessions) >= context.settings.sessions:
        return refusal(503, "too_many_sessions", "This server has too many sessions already.")
    task = asyncio.current_task()
    assert task is not None
    conversation = Session(
        context.manager,
        context.ledger,
        context.packed,
        context.uploads,
        context.downloads,
        context.incoming,
        context.outgoing,
    )
    context.sessions[task] = conversation
    try:
        return await conversation.run(request)
    finally:
        del context.sessions[task]
        context.touch()


ROUTES = (
    Route("GET", "/", page, "A small page that shows the server's state", gives="text/html"),
    Route("GET", "/v1/health", health, "Whether the server is up and ready to paint", None, Health),
    Route(
        "GET",
        "/metrics",
        show_metrics,
        "Figures for Prometheus",
        None,
        "text/plain",
        refuses=(503,),
    ),
    Route("GET", "/v1/setup", show_setup, "What is in place on this machine", None, Setup),
    Route("GET", "/v1/models", models, "What can be used", None, Offer),
    Route("POST", "/v1/models", look_again, "Look again at what is on the disk", None, Offer),
    Route("GET", "/v1/models/{model}", show_model, "One model", None, ModelInfo),
    Route(
        "DELETE",
        "/v1/models/{model}",
        remove_model,
        "Delete its files",
        None,
        ModelInfo,
        202,
        refuses=(409,),
    ),
    Route(
        "POST",
        "/v1/models/{model}/pull",
        pull_model,
        "Fetch what a model lacks, or go on with it",
        PullOrder,
        ModelInfo,
        202,
        refuses=(409, 429, 503),
    ),
    Route(
        "POST",
        "/v1/models/{model}/pause",
        pause_model,
        "Stop fetching; what has arrived is kept",
        None,
        ModelInfo,
    ),
    Route("GET", "/v1/openapi.json", describe, "This description", None, "application/json"),
    Route(
        "GET",
        "/v1/session",
        session,
        "The WebSocket session of protocol 1",
        status=101,
        refuses=(503,),
    ),
    Route("GET", "/v1/jobs", list_jobs, "Jobs of scripts, newest first", None, list[JobStatus]),
    Route(
        "POST",
        "/v1/jobs",
        submit_job,
        "Submit a job",
        Submit,
        JobStatus,
        202,
        refuses=(404, 409, 429, 507),
        optional=("job",),
    ),
    Route("GET", "/v1/jobs/{job}", show_job, "One job", None, JobStatus),
    Route("DELETE", "/v1/jobs/{job}", cancel_job, "Cancel a job", None, JobStatus, 202),
    Route(
        "POST",
        "/v1/jobs/{job}/acknowledge",
        acknowledge_job,
        "Say that the results are safe and may be forgotten",
        None,
        JobStatus,
        refuses=(409,),
    ),
    Route(
        "GET",
        "/v1/jobs/{job}/layers/{index}",
        show_layer,
        "A layer as PNG with straight alpha",
        None,
        "image/png",
    ),
    Route(
        "POST", "/v1/jobs/{job}/first", promote_job, "Paint it before the others", None, JobStatus
    ),
    Route(
        "POST",
        "/v1/jobs/{job}/move",
        move_job,
        "Paint a waiting job right before another one, or last",
        MoveOrder,
        JobStatus,
        refuses=(409,),
    ),
    Route(
        "GET",
        "/v1/jobs/{job}/preview",
        show_preview,
        "The latest preview of a running job",
        None,
        "image/png",
    ),
    Route(
        "GET",
        "/v1/jobs/{job}/export",
        export_job,
        "The layers of a variant as one document: OpenRaster, or PSD",
        None,
        "image/openraster",
        200,
        {
            "format": {"type": "string", "enum": ["ora", "psd"]},
            "variant": {"type": "integer", "minimum": 0},
        },
        refuses=(409,),
    ),
    Route("POST", "/v1/frames", plan, "Where a picture of some size is painted", FrameWish, Frame),
    Route(
        "GET",
        "/v1/events",
        follow_jobs,
        "Jobs of scripts as they change, a line of JSON each",
        None,
        "application/x-ndjson",
    ),
    Route(
        "POST",
        "/v1/links",
        make_link,
        "A link that opens the page signed in, once",
        None,
        PageLink,
        201,
    ),
    Route(
        "POST",
        KEYS_PATH,
        make_page_key,
        "Exchange the code of such a link (sent as the bearer) for a key",
        None,
        PageKey,
        201,
    ),
    Route(
        "POST",
        "/v1/share",
        invite,
        "A short code that pairs another machine, once",
        None,
        Invitation,
        201,
        refuses=(409,),
    ),
    Route(
        "POST",
        PAIRINGS_PATH,
        begin_pairing,
        "Begin to pair, from another machine",
        PairingBegin,
        PairingBegun,
        201,
        refuses=(409,),
    ),
    Route(
        "POST",
        f"{PAIRINGS_PATH}/proof",
        finish_pairing,
        "Prove the code, and get the token",
        PairingProof,
        Paired,
        refuses=(409,),
    ),
    Route(
        "POST",
        "/v1/images",
        upload_image,
        "Upload an input image: a picture file, or raw pixels with their size in the query",
        ("application/octet-stream", *PICTURES),
        ImageReference,
        201,
        {
            "width": {"type": "integer", "minimum": 1},
            "height": {"type": "integer", "minimum": 1},
            "format": {"type": "string", "enum": ["rgba8", "rgba16"]},
        },
        refuses=(415, 503, 507),
    ),
)


@web.middleware
async def known_query(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuses query fields that a route does not have."""
    resource = request.match_info.route.resource
    path = resource.canonical if resource is not None else ""
    allowed = {
        name
        for route in ROUTES
        if route.path == path and route.method == request.method
        for name in route.query
    }
    for name in request.query:
        if resource is not None and name not in allowed:
            return refusal(400, "bad_query", f"There is no query field {name[:40]!r} here.")
    return await handler(request)
