"""A client that is told to stop stops, whatever comes at the same moment."""

from __future__ import annotations

import asyncio

import pytest

from acetate_bridge.client.address import Where
from acetate_bridge.client.connection import Ears, Link
from acetate_bridge.client.connection_state import Connection, State
from acetate_bridge.client.pending_jobs import Pending


def nothing(_: object) -> None:
    pass


@pytest.mark.parametrize("turns", range(8))
async def test_one_that_is_stopped_as_it_is_woken_ends(turns: int) -> None:
    told: asyncio.Queue[State] = asyncio.Queue()
    ears = Ears(nothing, told.put_nowait, nothing, nothing)
    link = Link("a-client", Pending("", 0), ears, Where(None, None, ""), None)
    connecting = asyncio.ensure_future(link.keep_connected())
    while (await told.get()).connection is not Connection.NO_SERVER:
        pass
    link.wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    connecting.cancel()
    # Nothing but the cancellation ends it, and a second one would.
    await asyncio.wait({connecting}, timeout=0 if connecting.done() else 5)
    ended = connecting.cancelled()
    connecting.cancel()
    await asyncio.wait({connecting})
    assert ended


async def test_a_server_that_was_wanted_while_one_was_there_is_not_started_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[object] = []
    monkeypatch.setattr("acetate_bridge.client.connection.start_server", started.append)
    told: asyncio.Queue[State] = asyncio.Queue()
    ears = Ears(nothing, told.put_nowait, nothing, nothing)
    link = Link("a-client", Pending("", 0), ears, Where(None, None, ""), None)
    with monkeypatch.context() as connected:
        connected.setattr(Link, "stands", True)
        link.want_server()
    connecting = asyncio.ensure_future(link.keep_connected())
    while (await told.get()).connection is not Connection.NO_SERVER:
        pass
    connecting.cancel()
    await asyncio.wait({connecting})
    assert started == []
