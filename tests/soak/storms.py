"""Bad weather for a real server, as long as one likes; what was lost, or came twice, is told."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from acetate_bridge import Accepted, Client, Done, LayerReady, Recipe, Request
from acetate_bridge.client.pending_jobs import is_ending
from acetate_bridge.protocol.messages import Event
from tests.acetate_bridge.protocol.wire_messages import damage
from tests.app.links import CuttingProxy
from tests.app.server_process import LONG, TOKEN, RunningServer
from tests.app.test_fuzz import survive
from tests.support.processes import children_running

_JOBS_EACH_ROUND = 6
_FRAMES_EACH_SESSION = 95
_MOST_WAITING = 30
_MOST_GROWN = 48 * 2**20


@dataclass
class Outcome:
    """How a storm went: figures for people, and what should not have been."""

    figures: dict[str, object] = field(default_factory=dict[str, object])
    problems: list[str] = field(default_factory=list[str])


class Watcher:
    """A client that counts what it hears of each job, and thanks for it."""

    def __init__(self, address: str) -> None:
        self.accepted: Counter[str] = Counter()
        self.layers: Counter[str] = Counter()
        self.endings: dict[str, list[Event]] = {}
        self.jobs: list[str] = []
        self._heard = threading.Condition()
        self.client = Client("watcher", self._hear, address=address, token=TOKEN)

    def __enter__(self) -> Watcher:
        self.client.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.client.stop(LONG)

    def _hear(self, event: Event) -> None:
        with self._heard:
            if isinstance(event, Accepted):
                self.accepted[event.job] += 1
            elif isinstance(event, LayerReady):
                self.layers[event.job] += 1
            elif is_ending(event):
                self.endings.setdefault(event.job, []).append(event)
                self.client.acknowledge(event.job)
            self._heard.notify_all()

    def submit(self, prompt: str, steps: int) -> None:
        recipe = Recipe("text", prompt, seed=len(self.jobs), steps=steps, width=64, height=64)
        self.jobs.append(self.client.submit(Request(recipe)))

    @property
    def waiting(self) -> int:
        """Jobs that have not ended."""
        return len(self.jobs) - len(self.endings)

    def wait(self) -> None:
        """Until every job has ended, or far longer than any should take."""
        with self._heard:
            self._heard.wait_for(lambda: all(job in self.endings for job in self.jobs), LONG)

    def outcome(self, **figures: object) -> Outcome:
        """Every job was taken once, painted once and ended once; the rest is told."""
        problems: list[str] = []
        for job in self.jobs:
            ends = self.endings.get(job, [])
            if len(ends) != 1 or not isinstance(ends[0], Done):
                problems.append(f"{job} ended as {ends}")
            elif (self.accepted[job], self.layers[job]) != (1, 1):
                problems.append(f"{job}: {self.accepted[job]} × taken, {self.layers[job]} layers")
        return Outcome({"jobs": len(self.jobs), **figures}, problems)


@contextlib.contextmanager
def watched(folder: Path, piece: int = 65536, pause: float = 0.0) -> Iterator[_Place]:
    """A server that may come back at another port, and a client that need not know."""
    with (
        RunningServer(folder) as server,
        CuttingProxy(server.runtime.port, piece, pause) as way,
        Watcher(way.address) as watcher,
    ):
        yield _Place(server, way, watcher)


@dataclass
class _Place:
    server: RunningServer
    way: CuttingProxy
    watcher: Watcher

    def workers(self) -> list[psutil.Process]:
        assert self.server.process is not None
        return children_running(self.server.process.pid, "acetate.workers.process")

    def round(self) -> None:
        """One job that takes a while, and those that wait behind it."""
        self.watcher.submit("step=0.05", steps=8)
        for _ in range(_JOBS_EACH_ROUND - 1):
            self.watcher.submit("step=0.01", steps=2)


def server_kills(folder: Path, count: int, seed: int = 7) -> Outcome:
    """`kill -9` of the server at random moments, each with a job that runs and five that wait."""
    chance = random.Random(seed)
    with watched(folder) as place:
        left = 0
        for _ in range(count):
            place.round()
            time.sleep(chance.uniform(0, 1.2))
            workers = place.workers()
            place.server.kill()
            left += len(psutil.wait_procs(workers, timeout=LONG)[1])
            place.server.start()
            place.way.aim(place.server.runtime.port)
            place.watcher.client.retry()
            place.watcher.wait()
        outcome = place.watcher.outcome(kills=count)
        parts = list((folder / "data" / "jobs" / "pixels").glob("*.part"))
        outcome.problems += [f"{left} workers outlived their server"] if left else []
        outcome.problems += [f"{len(parts)} halves of files were left"] if parts else []
        return outcome


def worker_kills(folder: Path, count: int, seed: int = 7) -> Outcome:
    """`kill -9` of the worker at random moments."""
    chance = random.Random(seed)
    with watched(folder) as place:
        for _ in range(count):
            place.round()
            time.sleep(chance.uniform(0, 1.2))
            for worker in place.workers():
                worker.kill()
            place.watcher.wait()
        return place.watcher.outcome(kills=count)


def cuts(folder: Path, count: int, seed: int = 7) -> Outcome:
    """Connections that are cut in the middle of whatever they carry."""
    chance = random.Random(seed)
    with watched(folder, piece=8192, pause=0.0005) as place:
        way, watcher = place.way, place.watcher
        while way.cuts < count:
            if watcher.waiting < _MOST_WAITING:
                watcher.submit("step=0.01", steps=3)
            watcher.client.retry()
            passed = way.passed + chance.randrange(1, 60_000)
            until = time.monotonic() + chance.uniform(0.02, 0.25)
            while way.passed < passed and time.monotonic() < until:
                time.sleep(0.002)
            way.cut()
            time.sleep(0.005)
        watcher.client.retry()
        watcher.wait()
        return watcher.outcome(cuts=way.cuts)


def frames(folder: Path, count: int, seed: int = 7) -> Outcome:
    """Damaged frames, and a client beside them that paints."""
    chance = random.Random(seed)
    with watched(folder) as place:
        assert place.server.process is not None
        process = psutil.Process(place.server.process.pid)
        # What is only needed for the first of them is no growth.
        for _ in range(3):
            survive(place.server, ["x"] * _FRAMES_EACH_SESSION)
        before, sent, answered, most = process.memory_info().rss, 0, 0, 0
        while sent < count:
            if place.watcher.waiting < 2:
                place.watcher.submit("step=0.01", steps=2)
            batch = [damage(chance.randrange(2**32)) for _ in range(_FRAMES_EACH_SESSION)]
            answered += survive(place.server, batch)
            sent += len(batch)
            most = max(most, process.memory_info().rss - before)
        place.watcher.wait()
        outcome = place.watcher.outcome(
            frames=sent, answers=answered, grown=f"{most / 2**20:.1f} MB at most"
        )
        if most > _MOST_GROWN:
            outcome.problems.append(f"the server has grown by {most / 2**20:.0f} MB")
        if "Traceback" in place.server.log.read_text(errors="replace"):
            outcome.problems.append("there is a traceback in the log")
        return outcome


STORMS: dict[str, tuple[Callable[[Path, int, int], Outcome], int]] = {
    "server": (server_kills, 100),
    "worker": (worker_kills, 100),
    "cuts": (cuts, 1000),
    "frames": (frames, 1_000_000),
}
"""Every storm and its full figure."""
