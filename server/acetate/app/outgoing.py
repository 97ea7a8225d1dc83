"""Pixels on their way to clients: all of them together may take only so much memory.

A result may have half a gigabyte. It is read from the disk to be sent, and stays in memory until
its client has taken it: without a common budget a few clients that do not read would fill it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from aiohttp import hdrs, web

from acetate.app.responses import SAFE_HEADERS

RESULTS_AT_ONCE = 2
"""The budget, in messages of the largest size."""
SMALL_BYTES = 16 * 2**20
"""Whatever is no larger never waits for the large ones of others."""
_PIECE = 2**20
_TAKING_SECONDS = 60.0
_SLOWEST = 256 * 2**10
"""Bytes a second: whoever takes less does not read."""


class Outgoing:
    """The budget of one server. Belongs to one event loop."""

    def __init__(self, largest: int) -> None:
        """`largest` is the size of the largest message, in bytes."""
        self.most = RESULTS_AT_ONCE * largest
        self.held = 0
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()

    @contextlib.asynccontextmanager
    async def room(self, size: int) -> AsyncGenerator[None]:
        """Room for so many bytes of pixels for as long as this lasts; waits in order of coming."""
        if size <= SMALL_BYTES:
            yield
            return
        size = min(size, self.most)
        async with self._turn:
            while self.held + size > self.most:
                self._freed.clear()
                await self._freed.wait()
            self.held += size
        try:
            yield
        finally:
            self.held -= size
            self._freed.set()


def patience(size: int) -> asyncio.Timeout:
    """How long so many bytes may take to be taken; raises TimeoutError after that."""
    return asyncio.timeout(_TAKING_SECONDS + size / _SLOWEST)


async def send_whole(
    request: web.Request, body: bytes, content_type: str, headers: dict[str, str] | None = None
) -> web.StreamResponse:
    """Answer with a large body, and return once it was taken; whoever does not is cut off."""
    response = web.StreamResponse(headers={**SAFE_HEADERS, **(headers or {})})
    response.content_type = content_type
    response.headers[hdrs.CONTENT_LENGTH] = str(len(body))
    view = memoryview(body)
    try:
        await response.prepare(request)
        for start in range(0, len(view), _PIECE):
            piece = view[start : start + _PIECE]
            async with patience(len(piece)):
                await response.write(piece)
        async with patience(0):
            await response.write_eof()
    except (ConnectionError, TimeoutError):
        if request.transport is not None:
            request.transport.abort()
    return response
