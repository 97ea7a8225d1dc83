"""What scripts send along: small JSON bodies."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from acetate.jobs.records import Refused
from acetate_bridge.protocol.json_text import read_json as plain_values

_BODY_BYTES = 2**20


async def read_json(request: web.Request) -> Any:
    """The body as plain values; raises Refused for a large one, BadFrame for no JSON."""
    if (request.content_length or 0) > _BODY_BYTES:
        raise _too_large()
    body = await request.content.read(_BODY_BYTES + 1)
    while len(body) <= _BODY_BYTES and (more := await request.content.read(_BODY_BYTES)):
        body += more
    if len(body) > _BODY_BYTES:
        raise _too_large()
    return plain_values(bytes(body))


def _too_large() -> Refused:
    return Refused("too_large", f"A body may have {_BODY_BYTES} bytes.")
