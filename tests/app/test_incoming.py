"""Clients with the token that send more than the server can hold: counted, and told."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from acetate.app.incoming import MESSAGES_AT_ONCE, Incoming
from acetate_bridge import Done
from tests.app.listening import Listener
from tests.app.server_process import LONG, TOKEN, RunningServer
from tests.app.test_deaf_clients import deaf_session

LARGEST = 2**20


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose messages may have a megabyte, and so all that is under way two."""
    with RunningServer(tmp_path_factory.mktemp("small"), message_bytes=LARGEST) as running:
        yield running


def session(server: RunningServer) -> socket.socket:
    """A session that has been welcomed: what comes from here on is counted."""
    raw = deaf_session(server)
    assert b"welcome" in heard(raw, b"welcome")
    return raw


def sent(raw: socket.socket, body: bytes, kind: int = 2) -> None:
    """A masked frame, as far as the other side takes it."""
    head = bytes([0x80 | kind, 0x80 | 127]) + struct.pack(">Q", len(body)) + bytes(4)
    with contextlib.suppress(ConnectionError):
        raw.sendall(head + body)


def part(size: int) -> bytes:
    """The beginning of a message of many megabytes."""
    return struct.pack("<II", 0xFFFFFFFF, 2**27) + bytes(size)


def heard(raw: socket.socket, word: bytes = b"") -> bytes:
    """What comes until a word does, or until the other side closes."""
    found = b""
    while not word or word not in found:
        try:
            more = raw.recv(65536)
        except ConnectionError:
            break
        if not more:
            break
        found += more
    return found


@pytest.fixture
def full(small: RunningServer) -> Iterator[RunningServer]:
    """The server while two sessions are in the middle of messages that nearly fill the budget."""
    raws: list[socket.socket] = []
    until = time.monotonic() + LONG
    while len(raws) < MESSAGES_AT_ONCE:
        raw = session(small)
        sent(raw, part(LARGEST - 100_000))
        sent(raw, b"nonsense", kind=1)
        # What was sent before it has been counted by then, or a test before is counted still.
        if b'"busy"' not in heard(raw, b"bad_json"):
            raws.append(raw)
            continue
        assert time.monotonic() < until
        raw.close()
    yield small
    for raw in raws:
        raw.close()


def test_a_session_that_would_overfill_the_server_is_told_and_the_others_are_served(
    full: RunningServer,
) -> None:
    raw = session(full)
    sent(raw, part(LARGEST // 2))
    said = heard(raw)
    assert b'"busy"' in said and b"Send it again in a moment." in said
    raw.close()
    with Listener(full.runtime.address, TOKEN) as good:
        assert isinstance(good.ending(good.submit()), Done)


def test_a_script_that_would_overfill_the_server_is_told(full: RunningServer) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "image/png"}
    address = f"http://{full.runtime.address}/v1/images"
    body = urllib.request.Request(address, bytes(LARGEST // 2), headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(body, timeout=LONG)
    with refused.value as error:
        assert (error.code, json.loads(error.read())["code"]) == (503, "busy")


def test_what_has_been_dealt_with_is_counted_no_longer(small: RunningServer) -> None:
    raw = session(small)
    for _ in range(4 * MESSAGES_AT_ONCE):
        sent(raw, bytes(LARGEST // 2))
        assert b"bad_json" in heard(raw, b"bad_json")
    sent(raw, b"", kind=8)
    assert b'"busy"' not in heard(raw)
    raw.close()


def test_an_account_gives_back_what_it_held() -> None:
    incoming = Incoming(100)
    with incoming.counted() as first, incoming.counted() as second:
        assert first.add(150) and not second.add(51) and second.add(50)
        first.drop(1000)
        assert incoming.held == 50
    assert incoming.held == 0
