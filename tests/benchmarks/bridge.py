"""What the bridge adds to painting, beside a bare server that moves the same bytes.

The painter is a fake one that takes no time, so that what is left is the bridge's own. Both
servers are processes of their own, and take turns, so that whatever else the machine does falls
on both. A layer goes one way only, and an echo goes two: the target is about the echo, and the
bytes sent one way stand beside it. Packing is a line of its own and no part of a transfer.
"""

from __future__ import annotations

import queue
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
from websockets.sync.client import connect

from acetate.app.webp import read_webp, register_webp, write_webp
from acetate_bridge import Accepted, Done, Image, LayerReady, Progress, Recipe, Request
from acetate_bridge.client.client import Client
from acetate_bridge.client.pending_jobs import is_ending
from acetate_bridge.protocol.codec import encode
from acetate_bridge.protocol.messages import PROTOCOL, Event, Hello
from acetate_bridge.protocol.png import read_png, write_png
from tests.app.server_process import TOKEN, RunningServer
from tests.benchmarks.bare import Bare, bare

REPEATS = 15
SIDES = (1024, 2048)
LINKS = (20, 100, 1000)
"""Megabits a second."""
TARGET = "target 1.5"


def main() -> None:
    """Print one line for each figure: medians and best of the repeats, in milliseconds."""
    register_webp()
    with (
        tempfile.TemporaryDirectory() as folder,
        RunningServer(Path(folder)) as server,
        bare() as plain,
    ):
        with Timed(server.runtime.address) as timed:
            timed.run(request(16))
            rows = [timed.run(request(16)) for _ in range(REPEATS)]
            line("submit to accepted (at most 15 ms)", [row.accepted for row in rows])
            line("accepted to first progress", [row.progress - row.accepted for row in rows])
            for side in SIDES:
                raw_lines(timed, plain, side)
        for side in SIDES:
            packed_lines(server, plain, side)
    for side in SIDES:
        codec_lines(side)


def raw_lines(timed: Timed, plain: Bare, side: int) -> None:
    """A layer on its way to the host; then a fresh picture there, and back as a layer."""
    picture = photograph(side)
    name = f"{side} × {side} raw ({len(picture.data) / 2**20:.1f} MiB)"
    timed.run(request(side, picture))
    layers: list[float] = []
    both: list[float] = []
    fetched: list[float] = []
    echoed: list[float] = []
    for number in range(REPEATS):
        row = timed.run(request(side, picture))
        layers.append(row.layer - row.progress)
        echoed.append(plain.echo(picture.data))
        both.append(timed.run(request(side, altered(picture, number))).layer)
        fetched.append(plain.fetch())
    line(f"{name}: painted to received", layers, echoed, fetched, TARGET)
    line(f"{name}: new picture there, layer back", both, echoed)


def packed_lines(server: RunningServer, plain: Bare, side: int) -> None:
    """A packed layer on its way to a client that comes back for what it missed."""
    client = f"bench-{uuid.uuid4().hex}"
    picture = photograph(side)
    packed = write_webp(picture)
    with Timed(server.runtime.address, client) as timed:
        timed.run(request(side, picture), acknowledge=False)
    missed_layer(server, client)
    plain.echo(packed)
    layers: list[float] = []
    fetched: list[float] = []
    echoed: list[float] = []
    for _ in range(REPEATS):
        layers.append(missed_layer(server, client))
        echoed.append(plain.echo(packed))
        fetched.append(plain.fetch())
    name = f"{side} × {side} WebP ({len(packed) / 2**20:.1f} MiB): asked for to received"
    line(name, layers, echoed, fetched, TARGET)


def missed_layer(server: RunningServer, client: str) -> float:
    """Seconds from the hello to the frame of a layer that was packed before."""
    with connect(
        f"ws://{server.runtime.address}/v1/session",
        additional_headers={"Authorization": f"Bearer {TOKEN}"},
        compression=None,
        proxy=None,
        max_size=2**28,
    ) as connection:
        hello = encode(Hello(PROTOCOL, client, ["encoding:webp"]))
        started = time.perf_counter()
        connection.send(hello)
        while isinstance(connection.recv(), str):
            pass
        return time.perf_counter() - started


def codec_lines(side: int) -> None:
    """Packing and unpacking, and what they save or cost on links of different speed."""
    picture = photograph(side)
    size = len(picture.data)
    for name, write, read in (
        ("raw", lambda: picture.data, lambda data: data),
        ("WebP", lambda: write_webp(picture), lambda data: read_webp(data, side, side, "rgba8")),
        ("PNG", lambda: write_png(picture), read_png),
    ):
        packed = write()
        packing = best_of(write)
        unpacking = best_of(lambda read=read, packed=packed: read(packed))
        text = f"{side} × {side} as {name}: {len(packed) / 2**20:.1f} MiB"
        if name != "raw":
            text += f", packed at {size / packing / 1e6:.0f} MB/s"
            text += f", unpacked at {size / unpacking / 1e6:.0f} MB/s"
        times = [
            f"{(packing + unpacking + len(packed) * 8 / link / 1e6) * 1000:.0f} ms at {link} Mbit/s"
            for link in LINKS
        ]
        print(f"{text}; in all {', '.join(times)}", flush=True)


class Row:
    """Seconds from the call of `submit` to what came of it."""

    accepted = progress = layer = 0.0


class Timed:
    """A client that notes when each event reached its host."""

    def __init__(self, address: str, name: str = "") -> None:
        self._news: queue.Queue[tuple[float, Event]] = queue.Queue()
        self._client = Client(
            name or f"bench-{uuid.uuid4().hex}",
            lambda event: self._news.put((time.perf_counter(), event)),
            address=address,
            token=TOKEN,
        )

    def __enter__(self) -> Timed:
        self._client.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._client.stop()

    def run(self, wanted: Request, acknowledge: bool = True) -> Row:
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
                if acknowledge:
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


def altered(picture: Image, number: int) -> Image:
    """A picture that the server does not have yet."""
    data = number.to_bytes(8, "little") + picture.data[8:]
    return Image(picture.width, picture.height, data, picture.format)


def best_of(action: Callable[[], object], repeats: int = 3) -> float:
    times: list[float] = []
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return min(times)


def line(
    name: str,
    times: list[float],
    echoed: list[float] | None = None,
    fetched: list[float] | None = None,
    wanted: str = "",
) -> None:
    """One figure, and beside it the bare ways in the same run."""
    middle = statistics.median(times) * 1000
    text = f"{name:<55} {middle:6.1f} ms (best {min(times) * 1000:5.1f})"
    for way, bare_times in (("echo", echoed), ("one way", fetched)):
        if bare_times is not None:
            bare_middle = statistics.median(bare_times) * 1000
            text += f"   bare {way} {bare_middle:5.1f} ms, {middle / bare_middle:.2f} ×"
        if way == "echo" and wanted:
            text += f" ({wanted})"
    print(text, flush=True)


if __name__ == "__main__":
    main()
