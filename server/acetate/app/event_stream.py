"""Jobs of scripts as they change: one line of JSON each, for as long as the reader stays."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

import msgspec
from aiohttp import web

from acetate.app.context import CONTEXT, Context
from acetate.app.job_routes import JobStatus, job_status
from acetate.app.responses import SAFE_HEADERS, refusal
from acetate.app.script_feed import News

MOST_READERS = 32
_HEARTBEAT_SECONDS = 15.0
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class JobChange:
    """A line of `/v1/events`. `preview` numbers the latest preview of a running job (0: none)."""

    job: JobStatus
    preview: int = 0


async def follow_jobs(request: web.Request) -> web.StreamResponse:
    """Lines of `JobChange` from now on; an empty line says that nothing has happened for long."""
    context = request.app[CONTEXT]
    if context.scripts.readers >= MOST_READERS:
        return refusal(503, "too_many_readers", "Too many follow this server's jobs already.")
    response = web.StreamResponse(headers=SAFE_HEADERS)
    response.content_type = "application/x-ndjson"
    with context.scripts.listen() as news, contextlib.suppress(ConnectionError):
        await response.prepare(request)
        await response.write(b"\n")
        while True:
            await response.write(await _lines(context, news))
            await asyncio.sleep(_PAUSE_SECONDS)
    return response


async def _lines(context: Context, news: News) -> bytes:
    try:
        async with asyncio.timeout(_HEARTBEAT_SECONDS):
            jobs = await news.take()
    except TimeoutError:
        return b"\n"
    lines: list[bytes] = []
    for job in jobs:
        if (status := await job_status(context, job)) is not None:
            preview = context.scripts.previews.get(job)
            change = JobChange(status, preview.sequence if preview else 0)
            lines.append(msgspec.json.encode(change) + b"\n")
    return b"".join(lines)
