"""A bare aiohttp server in a process of its own: what moving bytes costs without a bridge.

`python -m tests.benchmarks.bare` prints its port and serves until its input ends.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import WSMsgType, web
from websockets.sync.client import ClientConnection, connect

from tests.app.server_process import ROOT


class Bare:
    """A connection to the bare server; the methods return seconds."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._size = 0

    def echo(self, data: bytes) -> float:
        """The bytes there, and the same bytes back."""
        self._size = len(data)
        return self._exchange(data, len(data))

    def fetch(self) -> float:
        """A word there, and the bytes of the last echo back."""
        return self._exchange("again", self._size)

    def _exchange(self, said: str | bytes, size: int) -> float:
        started = time.perf_counter()
        self._connection.send(said)
        answer = self._connection.recv()
        took = time.perf_counter() - started
        assert len(answer) == size
        return took


@contextmanager
def bare() -> Iterator[Bare]:
    """A running bare server."""
    with subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as child:
        assert child.stdin is not None and child.stdout is not None
        address = f"ws://127.0.0.1:{int(child.stdout.readline())}/"
        with connect(address, compression=None, proxy=None, max_size=2**28) as connection:
            yield Bare(connection)
        child.stdin.close()


async def _handle(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(compress=False, max_msg_size=2**28)
    await socket.prepare(request)
    last = b""
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            last = message.data
        await socket.send_bytes(last)
    return socket


async def _serve() -> None:
    app = web.Application()
    app.router.add_get("/", _handle)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait, daemon=True).start()
    await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve())
