"""Clients that ask and never read: their own connection holds them up, and nobody else's."""

from __future__ import annotations

import asyncio
import json
import socket
import struct

import psutil
import pytest

from acetate.app.send_queue import MOST_ANSWERS, Outbox
from acetate_bridge import Done
from acetate_bridge.protocol.messages import Problem
from tests.app.listening import Listener
from tests.app.server_process import LONG, TOKEN, RunningServer

REFUSED = json.dumps({"type": "submit", "job": "bad", "recipe": {"mode": "text"}}).encode()
UNKNOWN = b'{"type": "nonsense"}'
MODEL = json.dumps({"type": "pull", "model": "nobodys", "accepted": []}).encode()


def frame(body: bytes, kind: int = 1) -> bytes:
    """A masked frame of WebSocket."""
    assert len(body) < 126
    return bytes([0x80 | kind, 0x80 | len(body)]) + b"\0\0\0\0" + body


def deaf_session(server: RunningServer) -> socket.socket:
    """A session that has said hello and of whose answers nothing is read."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.settimeout(LONG)
    raw.connect(("127.0.0.1", server.runtime.port))
    lines = [
        "GET /v1/session HTTP/1.1", f"Host: {server.runtime.address}",
        f"Authorization: Bearer {TOKEN}", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "", "",
    ]  # fmt: skip
    raw.sendall("\r\n".join(lines).encode())
    raw.sendall(frame(b'{"type": "hello", "protocol": 1, "client": "deaf"}'))
    return raw


def sent_until_held_up(raw: socket.socket, piece: bytes, most: int) -> int:
    """Bytes that go in before nothing has moved for two seconds; `most` when nothing stops it."""
    raw.settimeout(2)
    sent = 0
    try:
        while sent < most:
            sent += raw.send(piece)
    except OSError:
        pass
    return sent


@pytest.mark.parametrize("asked", [REFUSED, MODEL], ids=["refused jobs", "unknown models"])
def test_a_client_that_reads_nothing_is_held_up(server: RunningServer, asked: bytes) -> None:
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    raw = deaf_session(server)
    most = 48 * 2**20
    sent = sent_until_held_up(raw, frame(asked) * 500, most)
    grown = process.memory_info().rss - before
    assert sent < most and grown < 32 * 2**20
    with Listener(server.runtime.address, TOKEN) as good:
        assert isinstance(good.ending(good.submit()), Done)
    raw.close()


def test_pings_that_nobody_reads_the_answers_of_hold_up_too(server: RunningServer) -> None:
    raw = deaf_session(server)
    most = 48 * 2**20
    assert sent_until_held_up(raw, frame(b"x" * 100, kind=9) * 500, most) < most
    raw.close()


def test_nonsense_without_end_costs_no_memory(server: RunningServer) -> None:
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    raw = deaf_session(server)
    sent_until_held_up(raw, frame(UNKNOWN) * 500, 48 * 2**20)
    assert process.memory_info().rss - before < 32 * 2**20
    raw.close()


def test_who_reads_again_hears_every_answer(server: RunningServer) -> None:
    raw = deaf_session(server)
    count = 3 * MOST_ANSWERS
    raw.sendall(frame(REFUSED) * count)
    heard = b""
    while heard.count(b'"bad_job_id"') < count:
        piece = raw.recv(2**16)
        assert piece
        heard += piece
    raw.sendall(frame(struct.pack(">H", 1000), kind=8))
    raw.close()


async def test_whoever_waits_for_room_goes_on_when_the_session_ends() -> None:
    outbox = Outbox()
    for _ in range(MOST_ANSWERS):
        outbox.answer(Problem("x", "x"))
    waiting = asyncio.ensure_future(outbox.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    outbox.close()
    await waiting
    outbox.answer(Problem("x", "x"))
    await outbox.room()
