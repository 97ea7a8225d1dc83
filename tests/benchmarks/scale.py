"""How the server grows: painters side by side, and a long queue of many sessions.

`python -m tests.benchmarks.scale` starts servers of its own with a painter of fixed cost, which
sleeps, so that two cores are enough: it is the queue that is measured, not a model.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import replace
from pathlib import Path

import psutil
from websockets.asyncio.client import ClientConnection, connect

from acetate.app.server import serve
from acetate.app.settings import Settings
from acetate.jobs.admission import DEFAULT_LIMITS
from acetate_bridge.client.discovery import Runtime, read_runtime

TOKEN = "benchmark-" + "0123456789abcdef" * 3
FAKE = "tests.workers.fake_painter:open_fake"
_HELLO = {"type": "hello", "protocol": 1, "features": ["encoding:png"], "last_event": 0}


def _serve(folder: str, workers: str) -> None:
    serve(
        Settings(
            data_folder=Path(folder) / "data",
            runtime_folder=Path(folder) / "run",
            token=TOKEN,
            painter=FAKE,
            devices=("cpu",) * int(workers),
            sessions=1000,
            limits=replace(DEFAULT_LIMITS, queued_jobs=10_000),
        )
    )


class Server:
    """A process with so many painters."""

    def __init__(self, workers: int) -> None:
        self._folder = tempfile.TemporaryDirectory()
        words = ["-m", "tests.benchmarks.scale", "--serve", self._folder.name, str(workers)]
        self.process = subprocess.Popen([sys.executable, *words], stderr=subprocess.DEVNULL)
        self.runtime = self._wait()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()
        self._folder.cleanup()

    def _wait(self) -> Runtime:
        while self.process.poll() is None:
            if (runtime := read_runtime(Path(self._folder.name) / "run")) is not None:
                return runtime
            time.sleep(0.05)
        raise SystemExit("the server did not start")

    async def session(self, name: str) -> ClientConnection:
        """A session that has been welcomed."""
        session = await connect(
            f"ws://{self.runtime.address}/v1/session",
            additional_headers={"Authorization": f"Bearer {TOKEN}"},
            max_size=2**28,
            proxy=None,
            ping_interval=None,
        )
        await session.send(json.dumps({**_HELLO, "client": name}))
        while "welcome" not in str(await session.recv())[:40]:
            pass
        return session

    def memory(self) -> float:
        """Resident megabytes of the server, without its painters."""
        return psutil.Process(self.process.pid).memory_info().rss / 2**20


async def submit(session: ClientConnection, prompt: str, steps: int = 1) -> float:
    """Seconds until the job is accepted."""
    job = uuid.uuid4().hex
    recipe = {"mode": "text", "prompt": prompt, "steps": steps, "width": 16, "height": 16}
    began = time.perf_counter()
    await session.send(json.dumps({"type": "submit", "job": job, "recipe": recipe}))
    while True:
        frame = await session.recv()
        if isinstance(frame, str) and job in frame and '"accepted"' in frame:
            return time.perf_counter() - began


async def throughput(workers: int, jobs: int, seconds: float) -> float:
    """Jobs a second, each costing so many."""
    with Server(workers) as server:
        sessions = [await server.session(f"client-{number}") for number in range(8)]

        async def paint(number: int, many: int, cost: float) -> None:
            session = sessions[number % len(sessions)]
            for _ in range(many):
                await submit(session, f"step={cost}")
            ended = 0
            while ended < many:
                frame = await session.recv()
                ended += isinstance(frame, str) and '"done"' in frame[:60]

        each = jobs // len(sessions)
        await asyncio.gather(*(paint(number, 1, 0.01) for number in range(len(sessions))))
        began = time.perf_counter()
        await asyncio.gather(*(paint(number, each, seconds) for number in range(len(sessions))))
        taken = time.perf_counter() - began
        for session in sessions:
            await session.close()
        return each * len(sessions) / taken


def bare_commits(many: int = 1000) -> list[float]:
    """Seconds of each of so many transactions that reach the disk, in SQLite alone."""
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(Path(folder) / "bare.sqlite3", isolation_level=None)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE jobs (job TEXT PRIMARY KEY, submit BLOB)")
        for _ in range(many):
            began = time.perf_counter()
            db.execute("INSERT INTO jobs VALUES (?, ?)", (uuid.uuid4().hex, bytes(400)))
            seconds.append(time.perf_counter() - began)
        db.close()
    return seconds


async def long_queue(jobs: int, clients: int) -> None:
    """Submit while many wait, and print what that costs."""
    print(f"one bare write to this disk: {_spread(bare_commits())}", flush=True)
    with Server(1) as server:
        sessions = [await server.session(f"client-{number}") for number in range(clients)]
        empty = server.memory()
        waits: list[float] = []
        for number in range(jobs):
            waits.append(await submit(sessions[number % clients], "step=60", steps=100))
        full = server.memory()
        at_once = await asyncio.gather(*(submit(session, "step=60") for session in sessions))
        for session in sessions:
            asyncio.get_running_loop().create_task(session.close())
        print(
            f"{jobs} waiting jobs of {clients} sessions: submit to accepted "
            f"{_spread(waits[:1000])} for the first thousand, "
            f"{_spread(waits[-1000:])} for the last; "
            f"{clients} submitted at once {_spread(at_once)}; "
            f"server {empty:.0f} MB before, {full:.0f} MB after "
            f"({(full - empty) * 1024 / jobs:.1f} kB a job)"
        )


def _spread(waits: list[float]) -> str:
    late = sorted(waits)[int(0.95 * len(waits))]
    return f"{statistics.median(waits) * 1000:.1f} ms (95 %: {late * 1000:.1f} ms)"


def main() -> None:
    """Print both figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", nargs=2, metavar=("FOLDER", "WORKERS"))
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--painted", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=1.0)
    given = parser.parse_args()
    if given.serve:
        _serve(*given.serve)
        return
    alone = 0.0
    if given.painted == 0:
        asyncio.run(long_queue(given.jobs, given.sessions))
        return
    for workers in (1, 2, 4):
        rate = asyncio.run(throughput(workers, given.painted * workers // 4, given.seconds))
        alone = alone or rate
        print(f"{workers} workers: {rate:.2f} jobs a second, {rate / alone:.2f} ×", flush=True)
    asyncio.run(long_queue(given.jobs, given.sessions))


if __name__ == "__main__":
    main()
