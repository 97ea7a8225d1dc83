"""Neither side shows the other anything before it has proved that it knows the token."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from acetate.app.challenges import Challenges
from acetate_bridge import Done, Recipe, Request
from acetate_bridge.client.address import Target
from acetate_bridge.client.connection_state import Connection
from acetate_bridge.client.discovery import Runtime, write_runtime
from acetate_bridge.client.handshake import NotProven, WrongToken, prove
from acetate_bridge.protocol.proof import (
    CHALLENGE_HEADER,
    client_proof,
    credentials,
    new_challenge,
    read_demand,
    server_proof,
)
from tests.app.listening import Listener
from tests.app.server_process import LONG, TOKEN, RunningServer


class Thief:
    """Has taken the port of a server; keeps all that it is told and answers the same to all."""

    def __init__(self, answer: bytes) -> None:
        self.heard = b""
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = self._listening.accept()
                with link, contextlib.suppress(OSError):
                    link.settimeout(LONG)
                    while b"\r\n\r\n" not in self.heard[-4096:]:
                        self.heard += link.recv(65536) or b"\r\n\r\n"
                    link.sendall(self._answer)
                    link.settimeout(5)
                    while piece := link.recv(65536):
                        self.heard += piece
                self.heard += b"\n----\n"

    def close(self) -> None:
        self._listening.close()


def http_answer(status: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Length: 0", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode()


OTHER = server_proof("another-token", "0" * 64, "n")
IMPOSTURES = {
    "opens without asking": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
    "asks for the bearer token": http_answer("401 Unauthorized", "WWW-Authenticate: Bearer"),
    "asks for a password": http_answer("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"'),
    "claims a proof": http_answer(
        "401 Unauthorized", f'WWW-Authenticate: Acetate nonce="n", proof="{OTHER}"'
    ),
    "claims an empty proof": http_answer(
        "401 Unauthorized", 'WWW-Authenticate: Acetate nonce="", proof=""'
    ),
    "leads elsewhere": http_answer("302 Found", "Location: ws://127.0.0.1:9/v1/session"),
    "says nothing": b"",
    "speaks nonsense": b"\x00\xff" * 50,
}


@pytest.mark.parametrize("imposture", IMPOSTURES)
def test_whoever_has_taken_the_port_hears_neither_token_nor_prompt(imposture: str) -> None:
    thief = Thief(IMPOSTURES[imposture])
    try:
        with Listener(f"127.0.0.1:{thief.port}", TOKEN) as listener:
            listener.client.submit(Request(Recipe("text", "a secret quokka")))
            until = time.monotonic() + LONG
            while not any(
                state.connection in (Connection.REFUSED, Connection.WAITING, Connection.NO_SERVER)
                for state in listener.states
            ):
                assert time.monotonic() < until, listener.states
                time.sleep(0.05)
        assert not any(state.connection is Connection.READY for state in listener.states)
        assert CHALLENGE_HEADER.encode() in thief.heard
        assert TOKEN.encode() not in thief.heard and b"quokka" not in thief.heard
    finally:
        thief.close()


def test_a_planted_runtime_file_of_the_right_shape_gets_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server was killed; its file is still there, and its port is somebody else's."""
    monkeypatch.setenv("ACETATE_RUNTIME_DIR", str(tmp_path / "run"))
    thief = Thief(IMPOSTURES["asks for the bearer token"])
    try:
        write_runtime(Runtime(1, "127.0.0.1", thief.port, TOKEN, 1))
        target = Target(f"ws://127.0.0.1:{thief.port}/v1/session", TOKEN)
        with pytest.raises(NotProven):
            asyncio.run(prove(target, LONG))
        assert TOKEN.encode() not in thief.heard
    finally:
        thief.close()


def test_the_clients_token_never_travels(server: RunningServer) -> None:
    from tests.app.links import CuttingProxy

    said: list[bytes] = []

    class Listening(CuttingProxy):
        async def _pump(self, reader, writer, host=None):  # type: ignore[no-untyped-def]
            read = reader.read

            async def overheard(count: int) -> bytes:
                piece = await read(count)
                said.append(piece)
                return piece

            reader.read = overheard
            await super()._pump(reader, writer, host)

    with Listening(server.runtime.port) as way, Listener(way.address, TOKEN) as listener:
        assert isinstance(listener.ending(listener.submit()), Done)
    assert said and TOKEN.encode() not in b"".join(said)


def ask(server: RunningServer, **headers: str) -> tuple[int, list[str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.runtime.port, timeout=LONG)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", "/v1/health", headers=named)
    answer = connection.getresponse()
    connection.close()
    return answer.status, answer.headers.get_all("WWW-Authenticate") or []


def demanded(server: RunningServer, challenge: str) -> tuple[str, str]:
    status, headers = ask(server, Acetate_Challenge=challenge)
    demand = read_demand(headers)
    assert status == 401 and demand is not None
    return demand


def test_a_proof_is_good_once(server: RunningServer) -> None:
    challenge = new_challenge()
    nonce, proof = demanded(server, challenge)
    assert proof == server_proof(TOKEN, challenge, nonce)
    good = credentials(challenge, nonce, client_proof(TOKEN, challenge, nonce))
    assert ask(server, Authorization=good)[0] == 200
    assert ask(server, Authorization=good)[0] == 401


@pytest.fixture
def intruding(server: RunningServer) -> Iterator[dict[str, str]]:
    challenge = new_challenge()
    nonce, proof = demanded(server, challenge)
    right = client_proof(TOKEN, challenge, nonce)
    other = new_challenge()
    yield {
        "the server's own proof": credentials(challenge, nonce, proof),
        "no proof": credentials(challenge, nonce, "x").replace('"x"', '""'),
        "a proof with another token": credentials(
            challenge, nonce, client_proof("other", challenge, nonce)
        ),
        "another challenge": credentials(other, nonce, client_proof(TOKEN, other, nonce)),
        "a nonce of one's own": credentials(
            challenge, "1.2.3", client_proof(TOKEN, challenge, "1.2.3")
        ),
        "an empty nonce": credentials(challenge, "", right),
        "the token as a proof": credentials(challenge, nonce, TOKEN),
        "capital letters": credentials(challenge, nonce, right.upper()),
        "the bare scheme": "Acetate ",
        "the token after the scheme": f"Acetate {TOKEN}",
        "a very long one": "Acetate " + 'a="b", ' * 900,
    }


def test_half_a_proof_opens_nothing(server: RunningServer, intruding: dict[str, str]) -> None:
    answers = {name: ask(server, Authorization=text)[0] for name, text in intruding.items()}
    assert {name: status for name, status in answers.items() if status != 401} == {}


@pytest.mark.parametrize("challenge", ["", "x", "0" * 31, "0" * 129, "Z" * 64, "ä" * 64])
def test_nonsense_is_no_challenge(server: RunningServer, challenge: str) -> None:
    status, headers = ask(server, Acetate_Challenge=challenge)
    assert status == 401 and read_demand(headers) is None


def test_a_client_with_another_token_learns_so_and_says_nothing(server: RunningServer) -> None:
    for token in ("other-token", ""):
        target = Target(f"ws://{server.runtime.address}/v1/session", token)
        with pytest.raises(WrongToken):
            asyncio.run(prove(target, LONG))


def test_a_client_of_old_still_comes_in_with_its_bearer_header(server: RunningServer) -> None:
    url = f"ws://{server.runtime.address}/v1/session"
    with connect(url, additional_headers={"Authorization": f"Bearer {TOKEN}"}, proxy=None) as old:
        old.send('{"type":"hello","protocol":1,"client":"old"}')
        assert '"welcome"' in str(old.recv(LONG))
    with pytest.raises(InvalidStatus), connect(url, proxy=None):
        pass


def test_nonces_wither_and_strangers_who_ask_for_many_cost_nothing() -> None:
    now = [1000.0]
    challenges = Challenges(TOKEN, lambda: now[0])
    challenge = new_challenge()
    demands = [read_demand([challenges.answer(challenge)]) for _ in range(1000)]
    demand = demands[-1]
    assert demand is not None
    assert not challenges._used  # pyright: ignore[reportPrivateUsage]
    nonce = demand[0]
    good = credentials(challenge, nonce, client_proof(TOKEN, challenge, nonce))
    now[0] += 61
    assert not challenges.accepts(good)
    now[0] -= 61
    assert challenges.accepts(good) and not challenges.accepts(good)
