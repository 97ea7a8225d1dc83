"""Large results on their way out: a common budget, and nobody waits for those who do not read."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from acetate.app.outgoing import SMALL_BYTES, Outgoing
from acetate_bridge import Done
from tests.app.listening import Listener
from tests.app.server_process import LONG, TOKEN, RunningServer
from tests.app.test_deaf_clients import deaf_session

MEGABYTE = 2**20
LARGE = 2 * SMALL_BYTES


async def test_large_results_wait_for_room_in_the_order_of_their_coming() -> None:
    outgoing = Outgoing(LARGE)
    leave = [asyncio.Event() for _ in range(4)]
    inside: list[int] = []

    async def send(number: int, size: int) -> None:
        async with outgoing.room(size):
            inside.append(number)
            await leave[number].wait()

    tasks = [asyncio.ensure_future(send(number, LARGE)) for number in range(3)]
    await asyncio.sleep(0)
    small = asyncio.ensure_future(send(3, SMALL_BYTES))
    for _ in range(10):
        await asyncio.sleep(0)
    assert inside == [0, 1, 3] and outgoing.held == outgoing.most
    leave[1].set()
    await tasks[1]
    while 2 not in inside:
        await asyncio.sleep(0)
    for each in leave:
        each.set()
    await asyncio.gather(*tasks, small)
    assert inside == [0, 1, 3, 2] and outgoing.held == 0


async def test_whoever_leaves_while_it_waits_keeps_nobody_waiting() -> None:
    outgoing = Outgoing(LARGE)
    inside = asyncio.Event()

    async def send() -> None:
        async with outgoing.room(3 * LARGE):  # More than there is: then alone.
            inside.set()

    async with outgoing.room(LARGE):
        first, second = (asyncio.ensure_future(send()) for _ in range(2))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not inside.is_set()
        first.cancel()
    await second
    assert inside.is_set() and outgoing.held == 0


@pytest.mark.slow
def test_many_who_do_not_read_a_large_result_cost_the_memory_of_a_few(
    tmp_path: Path,
) -> None:
    with RunningServer(tmp_path, message_bytes=40 * MEGABYTE) as server:
        assert server.process is not None
        process = psutil.Process(server.process.pid)
        with Listener(server.runtime.address, TOKEN, "deaf", acknowledge=False) as painter:
            job = painter.submit(width=4096, height=2048)  # 32 MB.
            assert isinstance(painter.ending(job), Done)
        before = process.memory_info().rss
        deaf = [deaf_session(server) for _ in range(24)]
        for each in deaf:
            each.settimeout(LONG)
            assert each.recv(16)
        grown = 0
        with Listener(server.runtime.address, TOKEN) as good:
            for seed in range(3):
                assert isinstance(good.ending(good.submit(seed=seed)), Done)
                grown = max(grown, process.memory_info().rss - before)
        # All of them at once would take 768 MB, twice.
        assert grown < 400 * MEGABYTE
        for each in deaf:
            each.close()
