"""Whoever leaves before the answer is no fault of the server's, and fills no log."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from acetate.app.responses import in_our_words
from tests.app.server_process import LONG

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def behind(handler: Handler) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """A server with one route; its port, and what is set once a request is done with."""
    done = asyncio.Event()

    @web.middleware
    async def noticed(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        finally:
            done.set()

    app = web.Application(middlewares=[noticed, in_our_words])
    app.router.add_get("/", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listening).start()
    try:
        yield listening.getsockname()[1], done
    finally:
        await runner.cleanup()


async def ask(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    line = b""
    with contextlib.suppress(ConnectionError):
        line = await asyncio.wait_for(reader.readline(), LONG)
    writer.close()
    return line


async def opening_a_session(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    response = web.WebSocketResponse()
    await response.prepare(request)
    return response


async def half_an_answer(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    assert request.transport is not None
    request.transport.abort()
    await response.write(b"the other half")
    return response


@pytest.mark.parametrize("handler", [opening_a_session, half_an_answer])
async def test_whoever_leaves_early_is_no_line_of_the_log(
    handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with behind(handler) as (port, done):
        await ask(port)
        await asyncio.wait_for(done.wait(), LONG)
    assert caplog.records == []


async def test_a_connection_of_our_own_that_breaks_is_a_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        raise BrokenPipeError("the worker has gone")

    async with behind(broken) as (port, _):
        assert b"500" in await ask(port)
    assert "GET / broke" in caplog.text
