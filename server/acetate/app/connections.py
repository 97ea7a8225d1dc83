"""Who may keep a connection: a stranger's costs little, ends soon, and never the others' place.

A connection belongs to a stranger until one of its requests has passed the guard. Strangers'
connections are few and short; when there are too many, the oldest one makes room, because a
program that means it well has said who it is within milliseconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
import sys
from collections import OrderedDict
from collections.abc import Callable
from typing import cast

from aiohttp import web
from aiohttp.web import BaseRequest, RequestHandler, Response

from acetate.app.responses import SAFE_HEADERS
from acetate.background_tasks import start_task

log = logging.getLogger("acetate.http")

STRANGER_SECONDS = 30.0
"""How long a connection may stay without a request that is let in."""
_FEWEST_STRANGERS = 8
_MOST_STRANGERS = 256
_ONE_IN = 4
"""Strangers may have one in so many of the descriptors of the process."""
_WISHED_DESCRIPTORS = 4096
_LINGER_SECONDS = 2.0
_KEEP_ALIVE_SECONDS = 75.0
_RETRY_SECONDS = 0.1
_GREETING_SECONDS = 10.0
_MOST_GREETED = 64
"""Connections whose keys are being agreed on; the oldest makes room."""
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


def most_strangers() -> int:
    """How many connections strangers may have, so that jobs and clients keep descriptors.

    Raises the limit of the process towards what the system grants (macOS starts with 256).
    """
    if sys.platform == "win32":
        return _MOST_STRANGERS
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wished = _WISHED_DESCRIPTORS if hard < 0 else min(_WISHED_DESCRIPTORS, hard)
    if 0 <= soft < wished:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wished, hard))
            soft = wished
    if soft < 0:
        return _MOST_STRANGERS
    return max(_FEWEST_STRANGERS, min(_MOST_STRANGERS, soft // _ONE_IN))


class Handler(RequestHandler):
    """aiohttp's protocol, which answers what is malformed without quoting it.

    `counted` is told how many bytes come in, and says whether they are to be read.
    """

    counted: Callable[[int], bool] | None = None

    def data_received(self, data: bytes) -> None:
        """Bytes from the other side."""
        if self.counted is None or self.counted(len(data)):
            super().data_received(data)

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """A sentence of ours, and the end of the connection."""
        super().handle_error(request, status, exc, "")  # It logs; its page would quote headers.
        text = '{"code":"bad_request","message":"This is not a request.","hint":""}'
        if status >= 500:
            text = '{"code":"internal","message":"The server met a fault of its own.","hint":""}'
        # aiohttp would name itself, and its version, where no other name stands.
        headers = {**SAFE_HEADERS, "Server": "Acetate"}
        response = Response(
            status=status, text=text, content_type="application/json", headers=headers
        )
        response.force_close()
        return response


class Strangers:
    """The connections that nothing is known of yet, the oldest first."""

    def __init__(self, most: int, seconds: float = STRANGER_SECONDS) -> None:
        self._most = most
        self._seconds = seconds
        self._waiting: OrderedDict[Threshold, asyncio.TimerHandle] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def enter(self, threshold: Threshold) -> None:
        """A new connection; the oldest one goes when there are too many."""
        while len(self._waiting) >= self._most:
            self.drop_oldest()
        loop = asyncio.get_running_loop()
        self._waiting[threshold] = loop.call_later(self._seconds, threshold.abort)

    def leave(self, threshold: Threshold) -> None:
        """A connection was let in, or has ended."""
        if (timer := self._waiting.pop(threshold, None)) is not None:
            timer.cancel()

    def drop_oldest(self) -> bool:
        """Close the oldest connection; False when there is none."""
        if not self._waiting:
            return False
        oldest = next(iter(self._waiting))
        self.leave(oldest)
        oldest.abort()
        return True


class Threshold(asyncio.Protocol):
    """Stands before a connection's handler until a request of it has been let in."""

    def __init__(self, handler: RequestHandler, strangers: Strangers) -> None:
        self._handler = handler
        self._strangers = strangers
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A stranger has come."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._strangers.enter(self)
        self._handler.connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """It has gone."""
        self._strangers.leave(self)
        self._handler.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """For the handler."""
        self._handler.data_received(data)

    def eof_received(self) -> None:
        """For the handler."""
        self._handler.eof_received()

    def pause_writing(self) -> None:
        """For the handler."""
        self._handler.pause_writing()

    def resume_writing(self) -> None:
        """For the handler."""
        self._handler.resume_writing()

    def abort(self) -> None:
        """Close at once."""
        self._strangers.leave(self)
        if self._transport is not None:
            self._transport.abort()

    def admit(self) -> None:
        """A request was let in: the handler goes on alone."""
        self._strangers.leave(self)
        if self._transport is not None and not self._transport.is_closing():
            self._transport.set_protocol(self._handler)


def admit(request: web.Request) -> None:
    """Note that this request has passed the guard."""
    transport = request.transport
    if transport is not None and isinstance(threshold := transport.get_protocol(), Threshold):
        threshold.admit()


class Reception:
    """Accepts connections one at a time, also when the process has run out of descriptors."""

    def __init__(
        self,
        listening: socket.socket,
        server: web.Server,
        strangers: Strangers | None = None,
        encrypted: ssl.SSLContext | None = None,
    ) -> None:
        self._listening = listening
        self._encrypted = encrypted
        self._greeting: OrderedDict[asyncio.Task[None], None] = OrderedDict()
        self._server = server
        self._strangers = Strangers(most_strangers()) if strangers is None else strangers
        self._accepting: asyncio.Task[None] | None = None

    def open(self, backlog: int = 128) -> None:
        """Begin to accept."""
        self._listening.listen(backlog)
        self._listening.setblocking(False)
        self._accepting = start_task(self._accept(), "reception")

    async def close(self) -> None:
        """Accept no more; what is connected stays."""
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.wait([self._accepting])
        for task in list(self._greeting):
            task.cancel()
        self._listening.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        exhausted = False
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listening)
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    if not exhausted:
                        log.warning("out of file descriptors: %d strangers", len(self._strangers))
                    exhausted = True
                    self._strangers.drop_oldest()
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            exhausted = False
            if self._encrypted is None:
                await self._greet(connection)
                continue
            # Agreeing on keys takes as long as the other side likes: nobody waits for it.
            if len(self._greeting) >= _MOST_GREETED:
                next(iter(self._greeting)).cancel()
            task = start_task(self._greet(connection), "greeting")
            self._greeting[task] = None
            task.add_done_callback(lambda done: self._greeting.pop(done, None))

    async def _greet(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        patience = _GREETING_SECONDS if self._encrypted is not None else None
        try:
            await loop.connect_accepted_socket(
                self._protocol(loop),
                connection,
                ssl=self._encrypted,
                ssl_handshake_timeout=patience,
            )
        except Exception as error:  # Also what TLS does not understand.
            # Whatever is wrong with one connection, the next one is accepted.
            log.debug("a connection was lost at the door: %s", error)
            connection.close()

    def _protocol(self, loop: asyncio.AbstractEventLoop) -> Callable[[], asyncio.Protocol]:
        return lambda: Threshold(
            Handler(
                self._server,
                loop=loop,
                access_log=cast("logging.Logger", None),  # None is what turns it off.
                auto_decompress=False,
                keepalive_timeout=_KEEP_ALIVE_SECONDS,
                lingering_time=_LINGER_SECONDS,
            ),
            self._strangers,
        )
