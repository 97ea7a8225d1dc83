"""Whoever has no token costs little: nothing is unpacked, and no connection is kept for long."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gzip
import resource
import shutil
import socket
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web

from acetate.app.connections import Reception, Strangers, admit, most_strangers
from acetate_bridge import Done, Progress
from tests.app.listening import Listener
from tests.app.server_process import LONG, TOKEN, RunningServer

BOMB = zlib.compress(bytes(2**24), 9)
CODINGS = ["gzip", "deflate", "br", "zstd", "x-gzip", "GZIP", "identity, gzip", "gzip, gzip", "x"]


async def echo(request: web.BaseRequest) -> web.Response:
    """Lets in whoever says so, and gives the body back."""
    if request.headers.get("Token") == "right":
        admit(request)  # type: ignore[arg-type]
    return web.Response(body=await request.read())


@contextlib.asynccontextmanager
async def reception(strangers: Strangers | None = None) -> AsyncIterator[int]:
    """The door of a server alone, without anything behind it; its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = web.Server(echo)
    door = Reception(listening, server, strangers)
    door.open()
    try:
        yield listening.getsockname()[1]
    finally:
        await door.close()
        await server.shutdown(1)


async def ask(port: int, *lines: str, body: bytes = b"") -> bytes:
    """Everything that is answered until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = ["POST / HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", "Connection: close"]
    writer.write("\r\n".join([*head, *lines, "", ""]).encode() + body)
    answer = await reader.read()
    writer.close()
    return answer


async def is_closed(reader: asyncio.StreamReader) -> bool:
    with contextlib.suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(), LONG) == b""
    return True


# ---- nothing is unpacked


@pytest.mark.parametrize("coding", CODINGS)
async def test_a_body_arrives_as_it_was_sent_whatever_it_says_of_itself(coding: str) -> None:
    async with reception() as port:
        answer = await ask(port, f"Content-Encoding: {coding}", "Token: right", body=BOMB)
        assert answer.endswith(BOMB)


def post(server: RunningServer, coding: str, token: str | None, body: bytes) -> bytes:
    """Everything that comes back for a packed body until the server closes."""
    lines = [
        "POST /v1/jobs HTTP/1.1",
        f"Host: {server.runtime.address}",
        f"Content-Length: {len(body)}",
        f"Content-Encoding: {coding}",
        *([f"Authorization: Bearer {token}"] if token else []),
    ]
    with socket.create_connection(("127.0.0.1", server.runtime.port), timeout=LONG) as link:
        link.sendall("\r\n".join([*lines, "", ""]).encode())
        with contextlib.suppress(OSError):
            link.sendall(body)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while piece := link.recv(2**16):
                answer += piece
        return answer


@pytest.mark.parametrize("coding", CODINGS)
def test_packed_bodies_are_refused_and_their_connection_closed(
    server: RunningServer, coding: str
) -> None:
    body = gzip.compress(b'{"recipe": {"mode": "text", "prompt": "x"}}' * 1000)
    assert b" 401 " in post(server, coding, None, body).split(b"\r\n")[0]
    assert b" 401 " in post(server, coding, "wrong", body).split(b"\r\n")[0]
    answer = post(server, coding, TOKEN, body)
    assert b" 415 " in answer.split(b"\r\n")[0] and b"packed_body" in answer


def test_a_refused_request_with_a_body_ends_the_connection(server: RunningServer) -> None:
    with socket.create_connection(("127.0.0.1", server.runtime.port), timeout=LONG) as link:
        head = f"POST /v1/jobs HTTP/1.1\r\nHost: {server.runtime.address}\r\n"
        link.sendall(f"{head}Content-Length: 100000000\r\n\r\nx".encode())
        answer = b""
        with contextlib.suppress(ConnectionError):
            while piece := link.recv(2**16):
                answer += piece
    assert b" 401 " in answer.split(b"\r\n")[0] and b"Connection: close" in answer


@pytest.mark.parametrize(
    "malformed",
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
    ],
    ids=["HTTP/2", "TLS", "two hosts", "a negative length", "two lengths"],
)
def test_what_is_no_request_learns_nothing_of_the_software(
    server: RunningServer, malformed: bytes
) -> None:
    answer = b""
    with socket.create_connection(("127.0.0.1", server.runtime.port), timeout=LONG) as link:
        link.sendall(malformed)
        with contextlib.suppress(ConnectionError):
            while piece := link.recv(2**16):
                answer += piece
    assert b" 400 " in answer.split(b"\r\n")[0] and b"This is not a request." in answer
    assert b"aiohttp" not in answer and b"Python" not in answer


# ---- connections that say nothing


async def test_silent_connections_are_few_and_the_oldest_makes_room() -> None:
    async with reception(Strangers(most=3)) as port:
        links = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        assert [await is_closed(reader) for reader, _ in links[:2]] == [True, True]
        for _, writer in links:
            writer.close()


@pytest.mark.parametrize("begun", [b"", b"G", b"POST / HTTP/1.1\r\nHost: x\r\n"])
async def test_whoever_says_nothing_or_half_a_request_is_sent_away(begun: bytes) -> None:
    async with reception(Strangers(most=3, seconds=0.05)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        assert await is_closed(reader)
        writer.close()


async def test_whoever_was_let_in_stays_and_counts_no_more() -> None:
    strangers = Strangers(most=2, seconds=LONG)
    async with reception(strangers) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        asking = b"GET / HTTP/1.1\r\nHost: x\r\nToken: right\r\n\r\n"
        writer.write(asking)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        assert len(strangers) == 0
        strangers._seconds = 0.05  # pyright: ignore[reportPrivateUsage]
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
        assert all([await is_closed(other) for other, _ in silent])
        writer.write(asking)
        assert b"HTTP/1.1 200" in await reader.readuntil(b"200 OK")
        for _, each in [*silent, (reader, writer)]:
            each.close()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ECONNABORTED])
async def test_a_door_that_cannot_open_is_tried_again(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    accept, failed = loop.sock_accept, 0

    async def no_more(listening: socket.socket) -> object:
        nonlocal failed
        if failed < 2:
            failed += 1
            raise OSError(number, "no more")
        return await accept(listening)

    monkeypatch.setattr("acetate.app.connections._RETRY_SECONDS", 0.01)
    monkeypatch.setattr(loop, "sock_accept", no_more)
    async with reception() as port:
        assert b" 200 " in (await ask(port, "Token: right")).split(b"\r\n")[0]
    assert failed == 2


async def test_without_descriptors_the_oldest_stranger_goes_and_nobody_else() -> None:
    strangers = Strangers(most=10)
    async with reception(strangers) as port:
        known, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nToken: right\r\n\r\n")
        await known.readline()
        old, other = await asyncio.open_connection("127.0.0.1", port)
        while not len(strangers):
            await asyncio.sleep(0.01)
        assert strangers.drop_oldest() and await is_closed(old)
        assert not strangers.drop_oldest()
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nToken: right\r\n\r\n")
        assert b"HTTP/1.1 200" in await known.readuntil(b"200 OK")
        writer.close()
        other.close()


@pytest.mark.parametrize(
    ("soft", "most"), [(128, 32), (256, 64), (1024, 256), (10**6, 256), (16, 8), (-1, 256)]
)
def test_strangers_have_a_quarter_of_the_descriptors(
    soft: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, soft))
    assert most_strangers() == most


@pytest.fixture
def scarce(tmp_path: Path) -> Iterator[RunningServer]:
    """A server with so few descriptors that a crowd could take them all."""
    limit = shutil.which("prlimit")
    if limit is None:
        pytest.skip("this system has no prlimit")
    with RunningServer(tmp_path, prefix=[limit, "--nofile=128"]) as running:
        yield running


@pytest.mark.slow
def test_a_crowd_of_silent_connections_costs_no_job_and_keeps_nobody_out(
    scarce: RunningServer,
) -> None:
    with Listener(scarce.runtime.address, TOKEN) as good:
        job = good.submit("step=0.05", steps=40)
        good.wait(lambda event: isinstance(event, Progress) and event.step >= 1)
        crowd: list[socket.socket] = []
        with contextlib.suppress(OSError):
            for _ in range(140):
                crowd.append(socket.create_connection(("127.0.0.1", scarce.runtime.port), 5))
        assert isinstance(good.ending(job), Done)
        with Listener(scarce.runtime.address, TOKEN) as newcomer:
            assert isinstance(newcomer.ending(newcomer.submit()), Done)
        for link in crowd:
            link.close()
