"""What a painter must never notice: servers that are killed, workers that die, cut connections."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from acetate_bridge import Cancelled, Done, Failed, LayerReady, Progress
from acetate_bridge.protocol.messages import Accepted
from tests.app.links import CuttingProxy
from tests.app.listening import Listener
from tests.app.server_process import LONG, TOKEN, RunningServer
from tests.support.processes import children_running, is_stopped

pytestmark = pytest.mark.slow


@contextmanager
def kept_in_touch(folder: Path) -> Iterator[tuple[RunningServer, CuttingProxy, Listener]]:
    """A server that may come back at another port, and a client that need not know."""
    with (
        RunningServer(folder) as server,
        CuttingProxy(server.runtime.port) as way,
        Listener(way.address, TOKEN) as listener,
    ):
        yield server, way, listener


@contextmanager
def connected(folder: Path, silence: float = 60.0) -> Iterator[tuple[RunningServer, Listener]]:
    with (
        RunningServer(folder, silence=silence) as server,
        Listener(server.runtime.address, TOKEN) as listener,
    ):
        yield server, listener


def workers_of(server: RunningServer) -> list[psutil.Process]:
    return children_running(server.pid, "acetate.workers.process")


def the_worker_of(server: RunningServer) -> psutil.Process:
    """The only one, once it is there: a server answers before its worker has begun."""
    until = time.monotonic() + LONG
    while len(workers := workers_of(server)) != 1:
        assert time.monotonic() < until, workers
        time.sleep(0.02)
    return workers[0]


def test_killing_the_server_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    with kept_in_touch(tmp_path) as (server, way, listener):
        jobs = [listener.submit("step=0.05", steps=20, seed=1)]
        jobs += [listener.submit("step=0.01", steps=2, seed=seed) for seed in range(2, 7)]
        listener.wait(lambda event: isinstance(event, Progress) and event.step >= 2)
        listener.wait(lambda event: event.job == jobs[-1] and isinstance(event, Accepted))
        orphans = workers_of(server)
        server.kill()
        gone, alive = psutil.wait_procs(orphans, timeout=LONG)
        assert gone and not alive
        server.start()
        way.aim(server.runtime.port)
        for job in jobs:
            assert isinstance(listener.ending(job), Done)
        delivered = Counter(listener.layer_names())
        assert delivered == Counter({(job, 0): 1 for job in jobs})
        accepted = [e.job for e in listener.events if isinstance(e, Accepted)]
        assert sorted(accepted) == sorted(jobs)


def test_a_job_that_kills_the_server_twice_is_given_up(tmp_path: Path) -> None:
    with kept_in_touch(tmp_path) as (server, way, listener):
        job = listener.submit("step=0.5", steps=150)
        for _ in range(2):
            seen = len(listener.of(job, Progress))
            listener.wait(
                lambda event, seen=seen: (
                    isinstance(event, Progress)
                    and event.step > 0
                    and len(listener.of(job, Progress)) > seen
                )
            )
            server.kill()
            server.start()
            way.aim(server.runtime.port)
        failed = listener.ending(job)
        assert isinstance(failed, Failed) and failed.code == "server_died"
        assert isinstance(listener.ending(listener.submit()), Done)


def test_killing_the_worker_in_mid_job_is_not_noticed_by_the_painter(tmp_path: Path) -> None:
    with connected(tmp_path) as (server, listener):
        job = listener.submit("step=0.05", steps=20)
        listener.wait(lambda event: isinstance(event, Progress) and event.step >= 2)
        for worker in workers_of(server):
            worker.kill()
        assert isinstance(listener.ending(job), Done)
        assert listener.layer_names() == [(job, 0)]
        assert server.process is not None and server.process.poll() is None
        assert {state.connection.value for state in listener.states} == {"connecting", "ready"}


def test_layers_that_came_before_the_worker_died_do_not_come_again(tmp_path: Path) -> None:
    from acetate_bridge import Recipe, Request

    with connected(tmp_path) as (server, listener):
        request = Request(Recipe("text", "step=0.05", seed=3, steps=8), variants=3)
        job = listener.client.submit(request)
        listener.wait(lambda event: isinstance(event, LayerReady))
        for worker in workers_of(server):
            worker.kill()
        done = listener.ending(job)
        assert isinstance(done, Done) and done.layers == 3
        assert listener.layer_names() == [(job, 0), (job, 1), (job, 2)]


@pytest.mark.parametrize("trouble", ["die", "hang"])
def test_a_worker_that_dies_or_hangs_once_is_replaced(tmp_path: Path, trouble: str) -> None:
    with connected(tmp_path, silence=15.0) as (server, listener):
        assert isinstance(listener.ending(listener.submit(f"{trouble} once")), Done)
        assert the_worker_of(server).is_running()


def test_a_job_that_kills_every_worker_fails_with_the_reason(tmp_path: Path) -> None:
    with connected(tmp_path) as (server, listener):
        failed = listener.ending(listener.submit("die"))
        assert isinstance(failed, Failed) and failed.code == "worker_lost"
        assert "died" in failed.message
        assert isinstance(listener.ending(listener.submit()), Done)


def test_a_card_that_vanishes_is_told_and_the_next_job_gets_a_fresh_process(
    tmp_path: Path,
) -> None:
    with connected(tmp_path) as (server, listener):
        before = the_worker_of(server)
        failed = listener.ending(listener.submit("vanish"))
        assert isinstance(failed, Failed) and failed.code == "device_lost"
        assert "stopped answering" in failed.message
        assert isinstance(listener.ending(listener.submit()), Done)
        after = the_worker_of(server)
        assert after.pid != before.pid


def test_a_hung_worker_can_be_cancelled_away(tmp_path: Path) -> None:
    with connected(tmp_path, silence=15.0) as (server, listener):
        job = listener.submit("hang")
        listener.wait(lambda event: isinstance(event, Progress) and event.step == 1)
        until = time.monotonic() + LONG
        while not any(is_stopped(worker) for worker in workers_of(server)):
            assert time.monotonic() < until
            time.sleep(0.02)
        listener.client.cancel(job)
        assert isinstance(listener.ending(job), Cancelled)
        assert isinstance(listener.ending(listener.submit()), Done)


def test_fifty_cuts_at_random_moments_lose_no_layer(server: RunningServer) -> None:
    chance = random.Random(20)
    with (
        CuttingProxy(server.runtime.port, piece=8192, pause=0.0005) as way,
        Listener(way.address, TOKEN) as listener,
    ):
        jobs: list[str] = []
        while way.cuts < 50:
            jobs.append(listener.submit("step=0.01", steps=3, seed=len(jobs), width=128, height=64))
            listener.client.retry()
            passed = way.passed + chance.randrange(1, 60_000)
            until = time.monotonic() + chance.uniform(0.02, 0.25)
            while way.passed < passed and time.monotonic() < until:
                time.sleep(0.002)
            way.cut()
            time.sleep(0.005)
        for job in jobs:
            assert isinstance(listener.ending(job), Done)
        assert Counter(listener.layer_names()) == Counter({(job, 0): 1 for job in jobs})


def test_a_polite_end_lets_a_short_job_finish_and_keeps_a_long_one(tmp_path: Path) -> None:
    with kept_in_touch(tmp_path) as (server, way, listener):
        long = listener.submit("step=0.5", steps=150)
        listener.wait(lambda event: isinstance(event, Progress) and event.step >= 1)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < LONG
        server.start()
        way.aim(server.runtime.port)
        listener.client.cancel(long)
        assert isinstance(listener.ending(long), Cancelled)
