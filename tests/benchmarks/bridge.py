"""What the bridge adds to painting, beside a bare echo of the same bytes in the same run.

The painter is a fake one that takes no time, so that what is left is the server's own.
"""

from __future__ import annotations

import asyncio
import queue
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from aiohttp import WSMsgType, web
from websockets.sync.client import ClientConnection, connect

from acetate.app.webp import read_webp, register_webp, write_webp
from acetate_bridge import Accepted, Done, Image, LayerReady, Progress, Recipe, Request
from acetate_bridge import client as client_module
from acetate_bridge.client import Client
from acetate_bridge.pending import is_ending
from acetate_bridge.protocol import Event
from tests.app.server_process import TOKEN, RunningServer

REPEATS = 9
SIDES = (1024, 2048)


def main() -> None:
    """Print one line for each figure: medians and best of the repeats, in milliseconds."""
    register_webp()
    with (
        tempfile.TemporaryDirectory() as folder,
        RunningServer(Path(folder)) as server,
        echo() as port,
    ):
        with Timed(server.runtime.address) as timed:
            timed.run(request(16))
            rows = [timed.run(request(16)) for _ in range(REPEATS)]
            line("submit to accepted", [row.accepted for row in rows], "at most 15 ms")
            line("accepted to first progress", [row.progress - row.accepted for row in rows])
        for side in SIDES:
            picture = photograph(side)
            for encoding in ("raw", "webp"):
                compare(server, port, side, encoding, picture)


def compare(server: RunningServer, port: int, side: int, encoding: str, picture: Image) -> None:
    """A layer there and back through everything, and the same bytes through a bare echo."""
    size = len(picture.data) if encoding == "raw" else len(write_webp(picture))
    chosen = client_module.preferred_encodings
    client_module.preferred_encodings = lambda local: [encoding]
    try:
        with Timed(server.runtime.address) as timed, bare(port) as connection:
            timed.run(request(side, picture))
            plain: list[Row] = []
            echoed: list[float] = []
            # In turns, so that whatever else the machine does falls on both.
            for _ in range(REPEATS):
                plain.append(timed.run(request(side, picture)))
                echoed.append(echo_once(connection, bytes(size)))
    finally:
        client_module.preferred_encodings = chosen
    name = f"{side} × {side} {encoding} ({size / 2**20:.1f} MiB)"
    line(f"{name}: echo of the bytes", echoed)
    transfers = [row.layer - row.progress for row in plain]
    if encoding == "raw":
        line(f"{name}: painted to received", transfers, ratio_to=echoed)
    else:
        packing = [
            seconds_of(lambda: read_webp(write_webp(picture), side, side, "rgba8"))
            for _ in range(REPEATS)
        ]
        line(f"{name}: packing and unpacking", packing)
        together = [one + other for one, other in zip(packing, echoed, strict=True)]
        line(f"{name}: painted to received", transfers, ratio_to=together)


class Row:
    """Seconds from the call of `submit` to what came of it."""

    accepted = progress = layer = 0.0


class Timed:
    """A client that notes when each event reached its host."""

    def __init__(self, address: str) -> None:
        self._news: queue.Queue[tuple[float, Event]] = queue.Queue()
        self._client = Client(
            f"bench-{time.time_ns()}",
            lambda event: self._news.put((time.perf_counter(), event)),
            address=address,
            token=TOKEN,
        )

    def __enter__(self) -> Timed:
        self._client.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._client.stop()

    def run(self, wanted: Request) -> Row:
        """Run one job to its end."""
        row, started = Row(), time.perf_counter()
        job = self._client.submit(wanted)
        while True:
            at, event = self._news.get(timeout=300)
            if isinstance(event, Accepted):
                row.accepted = at - started
            elif isinstance(event, Progress):
                # The last one is sent when the painter has painted: from there on it is transfer.
                row.progress = at - started if event.step or not row.progress else row.progress
            elif isinstance(event, LayerReady):
                row.layer = at - started
            if is_ending(event):
                assert isinstance(event, Done) and event.job == job
                self._client.acknowledge(job)
                return row


def request(side: int, picture: Image | None = None) -> Request:
    """A layer of this size, painted in no time: one colour, or the picture given back."""
    recipe = Recipe("echo" if picture else "text", "x", seed=5, steps=1, width=side, height=side)
    return Request(recipe, {"picture": picture} if picture else {})


def photograph(side: int) -> Image:
    """A picture as hard to pack as a painted one: soft shades, some grain, a cut-out shape."""
    y, x = np.mgrid[0:side, 0:side] / side
    grain = np.random.default_rng(7).normal(0, 1.5, (side, side))
    shades = [x * 200 + grain, y * 180 + 40 + grain, (x + y) * 90 + grain]
    alpha = np.clip((0.45 - np.hypot(x - 0.5, y - 0.5)) * side, 0, 1) * 255
    samples = np.stack([*shades, alpha], axis=-1).clip(0, 255).astype(np.uint8)
    return Image(side, side, samples.tobytes())


@contextmanager
def echo() -> Iterator[int]:
    """A bare aiohttp server that sends back what it gets, in a thread."""
    loop = asyncio.new_event_loop()
    started: queue.Queue[int] = queue.Queue()

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False, max_msg_size=2**28)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                await socket.send_bytes(message.data)
        return socket

    async def serve() -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/", handle)
        runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        started.put(runner.addresses[0][1])
        return runner

    def run() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(serve())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield started.get(timeout=60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


@contextmanager
def bare(port: int) -> Iterator[ClientConnection]:
    with connect(
        f"ws://127.0.0.1:{port}/", compression=None, proxy=None, max_size=2**28
    ) as connection:
        yield connection


def echo_once(connection: ClientConnection, data: bytes) -> float:
    def once() -> None:
        connection.send(data)
        assert len(connection.recv()) == len(data)

    return seconds_of(once)


def seconds_of(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def line(
    name: str, times: list[float], wanted: str = "", ratio_to: list[float] | None = None
) -> None:
    middle, best = statistics.median(times) * 1000, min(times) * 1000
    text = f"{name:<62} {middle:8.1f} ms   best {best:8.1f} ms"
    if ratio_to is not None:
        ratio = statistics.median(times) / statistics.median(ratio_to)
        best_ratio = min(times) / min(ratio_to)
        text += f"   {ratio:.2f} × the bare way (best {best_ratio:.2f} ×)"
    print(f"{text}   {wanted}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
