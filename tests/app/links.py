"""TCP proxies between client and server: the plain way, and one that is slow and cuts."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from typing import Self


class Proxy:
    """Listens on a port of its own, in an event loop of its own, and passes everything on.

    One thread reads and writes both ways: OpenSSL's connections are not for two threads at once.
    """

    def __init__(
        self,
        port: int,
        shown: ssl.SSLContext | None = None,
        upstream: ssl.SSLContext | None = None,
        piece: int = 65536,
    ) -> None:
        self._target = port
        self._shown = shown
        self._upstream = upstream
        self._piece = piece
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def aim(self, port: int) -> None:
        """Pass on to another server from now on."""
        self._target = port

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**20, ssl=self._shown)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._server = server
        self._started.set()
        self._loop.run_forever()

    async def _end(self) -> None:
        self._server.close()
        self._cut()
        # A connection that has just been taken becomes a task only now.
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here = {writer}
        # What the end cancels is no failure, which the loop would print.
        with contextlib.suppress(asyncio.CancelledError, OSError):
            upstream = await asyncio.open_connection("127.0.0.1", self._target, ssl=self._upstream)
            here.add(upstream[1])
            self._writers |= here
            await asyncio.gather(
                self._pump(reader, upstream[1], self._host()), self._pump(upstream[0], writer)
            )
        self._writers -= here
        for each in here:
            each.transport.abort()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        host: tuple[bytes, bytes] | None = None,
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(self._piece):
                self._hear(piece)
                if host is not None:
                    piece, host = piece.replace(*host, 1), None
                writer.write(piece)
                await writer.drain()
                await self._passed(piece)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    def _host(self) -> tuple[bytes, bytes] | None:
        """What is rewritten of the first that the client says: this, to that."""
        return None

    def _hear(self, piece: bytes) -> None:
        """A piece has come."""

    async def _passed(self, piece: bytes) -> None:
        """A piece has gone on."""


class CuttingProxy(Proxy):
    """In pieces with pauses in between, and cut when told to.

    The Host header is rewritten, because the server rightly knows only its own port.
    """

    def __init__(self, port: int, piece: int = 65536, pause: float = 0.0) -> None:
        super().__init__(port, piece=piece)
        self._pause = pause
        self.passed = 0
        self.cuts = 0

    def cut(self) -> None:
        """Reset every connection, in the middle of whatever it carries."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        self.cuts += bool(self._writers)
        super()._cut()

    def _host(self) -> tuple[bytes, bytes]:
        return f":{self.port}".encode(), f":{self._target}".encode()

    async def _passed(self, piece: bytes) -> None:
        self.passed += len(piece)
        if self._pause:
            await asyncio.sleep(self._pause)
