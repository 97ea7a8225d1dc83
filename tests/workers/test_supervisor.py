"""The engine around a real worker process with the fake painter."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import io
import os
import signal
import subprocess
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from acetate.errors import Interrupted
from acetate.workers import ipc, supervisor
from acetate.workers.engine import (
    Announcement,
    EngineEvent,
    EngineLost,
    Painted,
)
from acetate.workers.ipc import WorkerSettings
from acetate.workers.supervisor import Patience, WorkerEngine
from acetate_bridge import Image, Recipe, Request
from acetate_bridge.protocol.messages import Progress
from tests.app.server_process import FAKE, ROOT

pytestmark = pytest.mark.slow


@contextlib.asynccontextmanager
async def engine(
    folder: Path, painter: str = FAKE, patience: Patience | None = None
) -> AsyncIterator[WorkerEngine]:
    settings = WorkerSettings("cpu", str(folder), painter, beat_seconds=0.2)
    made = WorkerEngine(settings, patience or Patience())
    await made.start(lambda offer: None)
    try:
        yield made
    finally:
        await made.stop()


@pytest.fixture(autouse=True)
def from_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))


def request(prompt: str = "", steps: int = 2) -> Request:
    return Request(Recipe("text", prompt, steps=steps))


async def paint(made: WorkerEngine, prompt: str = "", steps: int = 2) -> list[EngineEvent]:
    return [event async for event in made.paint("job", request(prompt, steps))]


async def test_one_worker_paints_many_jobs(tmp_path: Path) -> None:
    async with engine(tmp_path) as made:
        for _ in range(3):
            events = await paint(made)
            assert isinstance(events[0], Progress) and isinstance(events[-1], Painted)


async def test_a_worker_that_warms_up_while_it_rests_stops_for_a_job(tmp_path: Path) -> None:
    async with engine(tmp_path, "tests.workers.fake_painter:open_restless") as made:
        while not (tmp_path / "begun").exists():
            await asyncio.sleep(0.01)
        assert not (tmp_path / "stopped").exists()
        assert isinstance((await paint(made))[-1], Painted)
        assert (tmp_path / "stopped").exists()


async def test_an_abandoned_job_leaves_the_worker_free(tmp_path: Path) -> None:
    async with engine(tmp_path) as made:
        events = made.paint("first", request("step=0.05", 1000))
        async for event in events:
            if isinstance(event, Progress) and event.step == 1:
                break
        await events.aclose()
        assert isinstance((await paint(made))[-1], Painted)


async def test_a_job_can_be_cancelled_before_the_worker_is_ready(tmp_path: Path) -> None:
    async with engine(tmp_path) as made:
        events = made.paint("job", request("step=0.05", 1000))
        task = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        made.cancel("another job")
        made.cancel("job")
        with pytest.raises(Interrupted):
            await task


async def test_silence_and_standstill_are_told_from_work(tmp_path: Path) -> None:
    # The steps together take longer than any of them may.
    patient = Patience(silence=600, stall=6.0)
    async with engine(tmp_path, patience=patient) as made:
        with pytest.raises(EngineLost, match="no progress"):
            await paint(made, "stall")
        assert isinstance((await paint(made, "step=0.5", 14))[-1], Painted)


async def test_a_worker_that_never_opens_is_reported_and_tried_again(tmp_path: Path) -> None:
    async with engine(tmp_path, "tests.workers.fake_painter:refuse_to_open") as made:
        with pytest.raises(EngineLost, match="cannot start"):
            await paint(made)


async def test_a_worker_that_is_killed_while_it_starts_costs_no_job(tmp_path: Path) -> None:
    painter = "tests.workers.fake_painter:open_when_let"
    async with engine(tmp_path, painter) as made:
        painting = asyncio.ensure_future(paint(made))
        for _ in range(2):
            while made.pid is None:
                await asyncio.sleep(0.01)
            pid = made.pid
            os.kill(pid, signal.SIGKILL)
            while made.pid == pid:
                await asyncio.sleep(0.01)
        (tmp_path / "let").touch()
        assert isinstance((await painting)[-1], Painted)


async def test_a_worker_killed_while_idle_is_replaced(tmp_path: Path) -> None:
    offers: list[Announcement] = []
    async with engine(tmp_path) as made:
        await paint(made)
        first = made.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        with contextlib.suppress(EngineLost):
            await paint(made)
        assert isinstance((await paint(made))[-1], Painted)
        assert made.pid != first
    assert offers == []


LARGE = Request(
    Recipe("echo", "x", steps=2), {"picture": Image(1024, 1024, bytes(1024 * 1024 * 4))}
)
"""More than the pipe of a worker that does not read can hold."""


async def stopped(made: WorkerEngine) -> int:
    """The worker, idle and stopped."""
    await paint(made)
    assert made.pid is not None
    os.kill(made.pid, signal.SIGSTOP)
    return made.pid


async def test_a_stopped_worker_is_replaced_however_large_the_request(tmp_path: Path) -> None:
    async with engine(tmp_path, patience=Patience(silence=1.0)) as made:
        pid = await stopped(made)
        with pytest.raises(EngineLost, match="hung"):
            async for _ in made.paint("job", LARGE):
                pass
        made._patience = Patience()  # pyright: ignore[reportPrivateUsage]
        events = [event async for event in made.paint("job", LARGE)]
        assert isinstance(events[-1], Painted) and made.pid != pid


async def test_cancelling_never_waits_for_a_worker(tmp_path: Path) -> None:
    async with engine(tmp_path, patience=Patience(silence=3.0)) as made:
        await stopped(made)

        async def follow() -> None:
            async for _ in made.paint("job", LARGE):
                pass

        painting = asyncio.ensure_future(follow())
        while made._job is None:  # pyright: ignore[reportPrivateUsage]
            await asyncio.sleep(0)
        for _ in range(3):
            # Of each a message is written, into a pipe that has no room for it.
            made.cancel("job")
            made.look_again()
        assert not painting.done()
        with pytest.raises((EngineLost, Interrupted)):
            await painting
        with contextlib.suppress(EngineLost):
            await paint(made)  # Nobody has noticed yet that the worker hangs.
        made._patience = Patience()  # pyright: ignore[reportPrivateUsage]
        assert isinstance((await paint(made))[-1], Painted)


async def test_a_machine_without_room_for_a_process_gets_a_worker_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened, refused = subprocess.Popen, 0

    def full(*arguments: Any, **options: Any) -> Any:
        nonlocal refused
        if refused < 2:
            refused += 1
            raise OSError(errno.EMFILE, "Too many open files")
        return opened(*arguments, **options)

    monkeypatch.setattr("acetate.workers.supervisor._RESTART_SECONDS", (0.0,))
    monkeypatch.setattr("acetate.workers.supervisor.subprocess.Popen", full)
    async with engine(tmp_path) as made:
        events: list[EngineEvent] = []
        while not events:
            with contextlib.suppress(EngineLost):
                events = await paint(made)
        assert isinstance(events[-1], Painted)
    assert refused == 2 and "Too many open files" in caplog.text


@pytest.mark.parametrize(
    "said", [b"\xff" * 16, b"\xff" * 7 + b"\x7f" + bytes(8), b"\x01" + bytes(15) + b"\xc1", b"no"]
)
async def test_a_worker_that_speaks_nonsense_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    receive, told = ipc.receive_in_server, False

    def nonsense(stream: Any) -> Any:
        nonlocal told
        if told:
            return receive(stream)
        told = True
        return receive(io.BytesIO(said))

    monkeypatch.setattr("acetate.workers.ipc.receive_in_server", nonsense)
    monkeypatch.setattr("acetate.workers.supervisor._RESTART_SECONDS", (0.0,))
    async with engine(tmp_path) as made:
        events: list[EngineEvent] = []
        while not events:
            with contextlib.suppress(EngineLost):
                events = await paint(made)
        assert told and isinstance(events[-1], Painted)


async def test_stopping_a_server_does_not_wait_for_a_stopped_worker(tmp_path: Path) -> None:
    async with engine(tmp_path) as made:
        await stopped(made)
        painting = asyncio.ensure_future(anext(made.paint("job", LARGE)))
        while made._job is None:  # pyright: ignore[reportPrivateUsage]
            await asyncio.sleep(0)
        await made.stop()
        with pytest.raises(EngineLost):
            await painting


async def test_a_process_that_is_only_being_started_when_all_ends_is_ended_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, begun, go_on = supervisor._Process, threading.Event(), threading.Event()  # pyright: ignore[reportPrivateUsage]
    born: list[int] = []

    def slowly(*arguments: Any) -> Any:
        begun.set()
        go_on.wait()
        process = start(*arguments)
        born.append(process.pid)
        return process

    monkeypatch.setattr(supervisor, "_Process", slowly)
    async with engine(tmp_path) as made:
        await asyncio.to_thread(begun.wait)
        stopping = asyncio.ensure_future(made.stop())
        await asyncio.sleep(0)
        go_on.set()
        await stopping
    with pytest.raises(ProcessLookupError):
        os.kill(born[0], 0)


async def test_stopping_ends_the_process_and_the_job(tmp_path: Path) -> None:
    async with engine(tmp_path) as made:
        events = made.paint("job", request("step=0.05", 1000))
        await anext(events)
        pid = made.pid
        assert pid is not None
        await made.stop()
        with pytest.raises(EngineLost):
            async for _ in events:
                pass
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
