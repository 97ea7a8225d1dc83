"""Another machine: paired by a short code, then known by its certificate, and never in clear."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import ssl
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from acetate.app.share import FOLDER, open_share
from acetate.app.share_codes import (
    CODE_SECONDS,
    MOST_TRIES,
    NoCode,
    ShareCodes,
    WrongCode,
)
from acetate.app.sockets import CannotServe, listen_for_others
from acetate_bridge import Connection, Done
from acetate_bridge.client import shared_servers
from acetate_bridge.client.pairing import CannotPair, pair
from acetate_bridge.client.shared_servers import known_servers
from acetate_bridge.protocol.pairing_proof import Half
from tests.app.listening import Listener
from tests.app.relays import Relay
from tests.app.server_process import TOKEN, RunningServer
from tests.app.test_client import Watched
from tests.app.test_http import ask


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("shared"), shared=True) as server:
        yield server


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The other machine: its own settings, and no server of its own."""
    monkeypatch.setenv("ACETATE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("ACETATE_RUNTIME_DIR", str(tmp_path / "run"))
    return tmp_path / "config"


def invited(server: RunningServer) -> tuple[str, str]:
    """Where the server is shared, as loopback, and a new code."""
    status, body = ask(server, "POST", "/v1/share")
    assert status == 201, body
    found = json.loads(body)
    return f"127.0.0.1:{found['addresses'][0].rpartition(':')[2]}", found["code"]


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def token_of(server: RunningServer) -> str:
    return (server.folder / "data" / FOLDER / "token").read_text()


def test_a_code_pairs_and_the_address_is_enough_from_then_on(shared: RunningServer) -> None:
    address, code = invited(shared)
    assert pair(address, f" {code.lower().replace('-', ' ')}") == address
    with Listener(address, "") as listener:
        assert isinstance(listener.ending(listener.submit("a cat")), Done)


def test_nothing_secret_is_in_clear(shared: RunningServer) -> None:
    address, code = invited(shared)
    with Relay(port_of(address)) as relay:
        pair(relay.address, code)
        with Listener(relay.address, "") as listener:
            assert isinstance(listener.ending(listener.submit("a marzipan lighthouse")), Done)
    heard = bytes(relay.heard)
    assert len(heard) > 4000
    for secret in (token_of(shared), TOKEN, code, code.replace("-", ""), "marzipan", "HTTP/1.1"):
        assert secret.encode() not in heard


def test_a_wrong_code_is_said_and_a_code_dies_of_five(shared: RunningServer) -> None:
    address, code = invited(shared)
    wrong = "000-000" if code != "000-000" else "111-111"
    for _ in range(MOST_TRIES):
        with pytest.raises(CannotPair, match="not the code that the other machine shows"):
            pair(address, wrong)
    with pytest.raises(CannotPair, match="no code to pair with.*acetate share"):
        pair(address, code)
    assert known_servers() == {}
    address, code = invited(shared)
    assert pair(address, code) == address


def test_a_code_is_good_once(shared: RunningServer) -> None:
    address, code = invited(shared)
    pair(address, code)
    with pytest.raises(CannotPair, match="it was used"):
        pair(address, code)


def test_who_ends_the_encryption_in_between_gains_nothing(
    shared: RunningServer, tmp_path: Path
) -> None:
    address, code = invited(shared)
    intruder = open_share(tmp_path / "intruder")
    with (
        Relay(port_of(address), str(intruder.identity)) as relay,
        pytest.raises(CannotPair, match="not the code"),
    ):
        pair(relay.address, code)
    # It has read all of a try with the right code, and learnt neither code nor token.
    assert b"/v1/pairings" in relay.heard
    assert token_of(shared).encode() not in relay.heard and code.encode() not in relay.heard
    assert pair(address, code) == address


def test_another_certificate_is_refused_before_anything_is_said(
    shared: RunningServer, tmp_path: Path
) -> None:
    address, code = invited(shared)
    intruder = open_share(tmp_path / "intruder")
    with Relay(port_of(address), str(intruder.identity)) as relay:
        pair(address, code)
        known = known_servers()[address]
        shared_servers.remember(relay.address, known)
        with Watched(address=relay.address) as watched:
            state = watched.reach(Connection.REFUSED)
    assert "certificate that you paired with" in state.message
    assert "acetate share" in state.cure
    assert bytes(relay.heard) == b""


def test_without_the_token_an_encrypted_stranger_may_pair_and_nothing_else(
    shared: RunningServer,
) -> None:
    address, _ = invited(shared)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    def asked(method: str, path: str, token: str = "", body: Any = None) -> int:
        connection = http.client.HTTPSConnection("127.0.0.1", port_of(address), context=context)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, headers)
            return connection.getresponse().status
        finally:
            connection.close()

    for method, path in (
        ("GET", "/v1/models"),
        ("GET", "/metrics"),
        ("POST", "/v1/share"),
        ("POST", "/v1/links"),
        ("GET", "/v1/pairings"),
        ("POST", "/v1/pairingsx"),
    ):
        assert asked(method, path) == 401, path
        # The token of this machine's own programs is not one for others.
        assert asked(method, path, TOKEN) == 401, path
    assert asked("GET", "/v1/models", token_of(shared)) == 200
    assert asked("POST", "/v1/pairings", body={"share": "00"}) == 400
    assert asked("POST", "/v1/pairings", body={"share": "1" * 8000}) == 413
    assert asked("POST", "/v1/pairings/proof", body={"pairing": "x", "proof": "x"}) == 409
    assert ask(shared, "GET", "/v1/models")[0] == 200


def test_strangers_who_never_agree_on_keys_keep_nobody_out(shared: RunningServer) -> None:
    address, code = invited(shared)
    mute = [socket.create_connection(("127.0.0.1", port_of(address))) for _ in range(80)]
    try:
        assert pair(address, code) == address
    finally:
        for each in mute:
            each.close()


def test_certificate_and_token_outlive_the_server_and_are_private(tmp_path: Path) -> None:
    first = open_share(tmp_path / "data")
    again = open_share(tmp_path / "data")
    assert (first.certificate, first.token) == (again.certificate, again.token)
    assert first.token not in repr(first)
    if sys.platform != "win32":
        for path in (tmp_path / "data" / FOLDER).iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    shutil.rmtree(tmp_path / "data" / FOLDER)
    anew = open_share(tmp_path / "data")
    assert anew.certificate != first.certificate and anew.token != first.token


@pytest.mark.parametrize("code", ["", "K7Q", "K7Q-M2", "K7Q-M2X9", "K7Q-M2?", "ключ12"])
def test_what_is_no_code_is_said_before_anybody_is_asked(code: str) -> None:
    with pytest.raises(CannotPair, match="six letters and digits, such as K7Q-M2X"):
        pair("127.0.0.1:9", code)


def test_an_address_where_nothing_or_something_else_answers_is_said(
    server: RunningServer,
) -> None:
    with pytest.raises(CannotPair, match="Nothing answers at 127.0.0.1:9"):
        pair("127.0.0.1:9", "K7Q-M2X")
    with pytest.raises(CannotPair, match="is no shared server"):
        pair(server.runtime.address, "K7Q-M2X")
    with pytest.raises(CannotPair, match="is not an address"):
        pair("ftp://nowhere", "K7Q-M2X")
    assert ask(server, "POST", "/v1/share")[0] == 409


def tried(codes: ShareCodes, certificate: bytes, letters: str) -> Callable[[], str]:
    """A try with a code, up to its proof."""
    half = Half(letters, certificate)
    name, share = codes.begin(half.share)
    proofs = half.agree(half.share, share)
    return lambda: codes.finish(name, proofs.client)


def test_a_code_grows_old() -> None:
    now = 0.0
    codes = ShareCodes(b"certificate", lambda: now)
    letters = codes.new_code().replace("-", "")
    finish = tried(codes, b"certificate", letters)
    now = CODE_SECONDS + 1
    with pytest.raises(NoCode):
        finish()
    with pytest.raises(NoCode):
        codes.begin(Half(letters, b"certificate").share)


def test_tries_count_however_they_are_interleaved() -> None:
    codes = ShareCodes(b"certificate")
    letters = codes.new_code().replace("-", "")
    tries = [tried(codes, b"certificate", f"00000{digit}") for digit in range(8)]
    right = tried(codes, b"certificate", letters)
    for wrong in tries[:MOST_TRIES]:
        with pytest.raises(WrongCode):
            wrong()
    for late in (*tries[MOST_TRIES:], right):
        with pytest.raises(NoCode):
            late()


def test_a_new_code_ends_the_one_before() -> None:
    codes = ShareCodes(b"certificate")
    finish = tried(codes, b"certificate", codes.new_code().replace("-", ""))
    codes.new_code()
    with pytest.raises(NoCode):
        finish()


def test_beginnings_alone_wear_a_code_out() -> None:
    codes = ShareCodes(b"certificate")
    codes.new_code()
    share = Half("000000", b"certificate").share
    with pytest.raises(NoCode):
        for _ in range(200):
            codes.begin(share)


def test_a_port_that_is_taken_is_said_with_the_cure() -> None:
    with listen_for_others(0) as listening:
        listening.listen()
        with pytest.raises(CannotServe, match="use --share-port"):
            listen_for_others(listening.getsockname()[1])


def test_a_machine_without_ipv6_is_shared_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket

    def without_ipv6(family: int = socket.AF_INET, *rest: Any, **more: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(97, "Address family not supported by protocol")
        return real(family, *rest, **more)

    monkeypatch.setattr(socket, "socket", without_ipv6)
    with listen_for_others(0) as listening:
        assert listening.family == socket.AF_INET
