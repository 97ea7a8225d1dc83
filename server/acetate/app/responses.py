"""JSON answers over HTTP, and failures in the same form everywhere."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from acetate.jobs.records import DiskFull, MissingImages, Refused
from acetate_bridge.protocol.codec import BadFrame

log = logging.getLogger("acetate.http")

_STATUS = {
    "job_taken": 409,
    "too_many_jobs": 429,
    "busy": 503,
    "too_large": 413,
    "image_too_large": 413,
    "unknown_model": 404,
    "not_ready": 503,
    "licence_needed": 409,
    "too_many_downloads": 429,
    "quota_full": 507,
    "disk_full": 507,
}
SAFE_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def answer(value: Any, status: int = 200) -> web.Response:
    """A dataclass or plain value as JSON."""
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json"
    )


def refusal(status: int, code: str, message: str, hint: str = "", **more: Any) -> web.Response:
    """An error with a stable code, a sentence and a hint."""
    response = answer({"code": code, "message": message, "hint": hint, **more}, status)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


@web.middleware
async def in_our_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns every exception into a refusal; faults of our own go to the log, without a body."""
    try:
        response = await handler(request)
    except Refused as error:
        response = refusal(_STATUS.get(error.code, 400), error.code, error.message, error.hint)
    except BadFrame as error:
        response = refusal(_STATUS.get(error.code, 400), error.code, str(error))
    except MissingImages as error:
        response = refusal(409, error.code, "Some images were not uploaded.", images=error.images)
    except DiskFull as error:
        response = refusal(507, error.code, error.message, error.hint)
    except web.HTTPException as error:
        code = error.reason.lower().replace(" ", "_")
        response = refusal(error.status, code, f"{error.reason}.")
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
    except Exception as error:
        if isinstance(error, ConnectionError) and _has_left(request):
            log.debug("%s %s: whoever asked has left", request.method, route_of(request))
        else:
            log.exception("%s %s broke", request.method, route_of(request))
        response = refusal(500, "internal", "The server met a fault of its own.", "See its log.")
    if not response.prepared:
        for name, value in SAFE_HEADERS.items():
            response.headers.setdefault(name, value)
    return response


def _has_left(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def route_of(request: web.Request) -> str:
    """The pattern that a request matched, fit for a log: no query, nothing a client made up."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "(no route)"
