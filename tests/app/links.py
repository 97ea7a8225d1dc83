"""A TCP proxy between client and server that is slow, and cuts connections when told to."""

from __future__ import annotations

import asyncio
import contextlib
import threading


class CuttingProxy:
    """Listens on a port of its own and passes bytes on, in pieces with pauses in between.

    The Host header is rewritten, because the server rightly knows only its own port.
    """

    def __init__(self, port: int, piece: int = 65536, pause: float = 0.0) -> None:
        self._target = port
        self._piece = piece
        self._pause = pause
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port = 0
        self.passed = 0
        self.cuts = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> CuttingProxy:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Reset every connection, in the middle of whatever it carries."""
        self._loop.call_soon_threadsafe(self._cut)

    def aim(self, port: int) -> None:
        """Pass on to another server from now on."""
        self._target = port

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**20)
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
        self.cuts += bool(self._writers)
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here = {writer}
        # What the end cancels is no failure, which the loop would print.
        with contextlib.suppress(asyncio.CancelledError, OSError):
            upstream = await asyncio.open_connection("127.0.0.1", self._target)
            here.add(upstream[1])
            self._writers |= here
            ours, theirs = f":{self.port}".encode(), f":{self._target}".encode()
            await asyncio.gather(
                self._pump(reader, upstream[1], (ours, theirs)), self._pump(upstream[0], writer)
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
                if host is not None:
                    piece, host = piece.replace(*host, 1), None
                writer.write(piece)
                await writer.drain()
                self.passed += len(piece)
                if self._pause:
                    await asyncio.sleep(self._pause)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
