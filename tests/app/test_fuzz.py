"""Damaged frames at a real server: each is answered or ends its connection, and nobody else."""

from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import Iterator

import psutil
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from acetate_bridge import Done
from acetate_bridge.protocol.codec import MESSAGE_BYTES, decode_server, encode
from acetate_bridge.protocol.messages import Cancel, Hello, Problem, Upload
from tests.acetate_bridge.protocol.wire_messages import PIXELS, bound, damaged_frames, parts
from tests.app.listening import Listener
from tests.app.server_process import LONG, TOKEN, RunningServer


@contextlib.contextmanager
def opened(server: RunningServer, hello: bool = True) -> Iterator[ClientConnection]:
    with connect(
        f"ws://{server.runtime.address}/v1/session",
        additional_headers={"Authorization": f"Bearer {TOKEN}"},
        compression=None,
        proxy=None,
        open_timeout=LONG,
        close_timeout=10,
    ) as connection:
        if hello:
            connection.send(encode(Hello(1, "fuzz")))
            connection.recv(LONG)
        yield connection


def survive(server: RunningServer, frames: list[str | bytes]) -> int:
    """Send them all; every connection ends in answers to a sentinel, or in being closed."""
    answered = 0
    with opened(server) as connection, contextlib.suppress(ConnectionClosed):
        for frame in frames:
            connection.send(frame)
        connection.send('{"type": "sentinel"}')
        while True:
            message = decode_server(connection.recv(LONG))
            if isinstance(message, Problem):
                assert message.code and message.message
                answered += 1
                if "sentinel" in message.message:
                    break
    return answered


@pytest.mark.slow
def test_ten_thousand_damaged_frames_cost_neither_the_server_nor_its_other_clients(
    server: RunningServer,
) -> None:
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    counts = {"frames": 0, "answers": 0}

    @settings(
        max_examples=110,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(damaged_frames(95))
    def attack(frames: list[str | bytes]) -> None:
        counts["answers"] += survive(server, frames)
        counts["frames"] += len(frames)

    with Listener(server.runtime.address, TOKEN) as good:
        for _ in range(3):
            survive(server, ["x"] * 95)
        assert isinstance(good.ending(good.submit()), Done)
        before = process.memory_info().rss
        attack()
        assert isinstance(good.ending(good.submit()), Done)
        grown = process.memory_info().rss - before
        assert {state.connection.value for state in good.states} == {"connecting", "ready"}
    assert counts["frames"] >= 10_000 and counts["answers"] > 5_000
    assert grown < 32 * 2**20


@pytest.mark.parametrize(
    "first",
    ["", "{}", "null", encode(Cancel("abcdefgh")), '{"type":"hello"}', b"\x00\x00\x00\x00",
     encode(Hello(99, "x")), encode(Hello(1, "")), encode(Hello(1, "x" * 500))],
)  # fmt: skip
def test_whoever_does_not_say_hello_is_told_so_and_shown_the_door(
    server: RunningServer, first: str | bytes
) -> None:
    with opened(server, hello=False) as connection:
        connection.send(first)
        assert isinstance(decode_server(connection.recv(LONG)), Problem)
        with pytest.raises(ConnectionClosed):
            connection.recv(LONG)


def test_an_older_editor_is_told_which_side_to_update(server: RunningServer) -> None:
    with opened(server, hello=False) as connection:
        connection.send(encode(Hello(0, "old")))
        problem = decode_server(connection.recv(LONG))
        assert isinstance(problem, Problem) and "update the older" in problem.message


def test_a_client_that_talks_nonsense_for_long_is_shown_the_door(server: RunningServer) -> None:
    with opened(server) as connection, pytest.raises(ConnectionClosed):
        for _ in range(150):
            connection.send("nonsense")
        while True:
            connection.recv(LONG)


def test_oversized_messages_are_refused_by_their_announced_length(server: RunningServer) -> None:
    with opened(server) as connection:
        mask = b"\0\0\0\0"
        connection.socket.sendall(b"\x82\xff" + struct.pack(">Q", MESSAGE_BYTES + 1) + mask)
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(LONG)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009


def test_a_header_longer_than_the_frame_is_a_problem(server: RunningServer) -> None:
    with opened(server) as connection:
        connection.send(struct.pack("<I", 1000) + b"{}")
        problem = decode_server(connection.recv(LONG))
        assert isinstance(problem, Problem) and problem.code == "bad_frame"


def test_a_hundred_megapixels_in_a_kilobyte_cost_no_memory(server: RunningServer) -> None:
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    header = {"type": "upload", **parts(encode(Upload("0" * 64, PIXELS)))[0]}
    header["image"] |= {"width": 10_000, "height": 10_000, "encoding": "png", "length": 1024}
    with opened(server) as connection:
        before = process.memory_info().rss
        connection.send(bound(header, bytes(1024)))
        problem = decode_server(connection.recv(LONG))
        assert isinstance(problem, Problem) and problem.code == "image_too_large"
        assert process.memory_info().rss - before < 16 * 2**20


def test_pixels_under_a_wrong_hash_are_refused(server: RunningServer) -> None:
    with opened(server) as connection:
        connection.send(encode(Upload("0" * 64, PIXELS)))
        problem = decode_server(connection.recv(LONG))
        assert isinstance(problem, Problem) and problem.code == "wrong_hash"
    stored = {path.name for path in (server.folder / "data" / "jobs" / "pixels").iterdir()}
    assert f"image-{'0' * 64}" not in stored


def test_compression_is_never_agreed_on(server: RunningServer) -> None:
    with connect(
        f"ws://{server.runtime.address}/v1/session",
        additional_headers={"Authorization": f"Bearer {TOKEN}"},
        proxy=None,
    ) as connection:
        assert connection.protocol.extensions == []
        assert json.dumps(connection.response.headers.get("Sec-WebSocket-Extensions")) == "null"  # type: ignore[union-attr]
