"""Opening the page signed in: links that die on first use, and keys that live with the server."""

from __future__ import annotations

import http.server
import json
import threading
import urllib.error
import urllib.request
from typing import Any

import pytest

from acetate.app.sign_in_codes import CODE_SECONDS, MOST_CODES, MOST_KEYS, SignIn
from acetate_bridge.client.discovery import Runtime
from acetate_bridge.client.page_link import NoPageLink, page_link
from tests.app.server_process import RunningServer


def ask(server: RunningServer, method: str, path: str, bearer: str) -> tuple[int, Any]:
    request = urllib.request.Request(
        f"http://{server.runtime.address}{path}",
        method=method,
        headers={"Authorization": f"Bearer {bearer}"},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


def code_of(server: RunningServer) -> str:
    return page_link(server.runtime).partition("#open=")[2]


def test_a_link_keeps_its_code_where_no_server_and_no_log_sees_it(server: RunningServer) -> None:
    address = page_link(server.runtime)
    assert address.startswith(f"http://{server.runtime.address}/#open=")
    assert len(address.partition("#open=")[2]) >= 32


def test_a_code_gives_a_key_once(server: RunningServer) -> None:
    code = code_of(server)
    status, value = ask(server, "POST", "/v1/page-keys", code)
    assert status == 201
    assert ask(server, "GET", "/v1/models", value["key"])[0] == 200
    assert ask(server, "POST", "/v1/page-keys", code)[0] == 401


def test_a_code_is_good_for_nothing_else(server: RunningServer) -> None:
    code = code_of(server)
    for method, path in (("GET", "/v1/models"), ("GET", "/v1/jobs"), ("POST", "/v1/links")):
        assert ask(server, method, path, code)[0] == 401
    assert ask(server, "POST", "/v1/page-keys", code)[0] == 201


def test_nobody_gets_a_link_or_a_key_without_the_token(server: RunningServer) -> None:
    assert ask(server, "POST", "/v1/links", "wrong")[0] == 401
    assert ask(server, "POST", "/v1/page-keys", "wrong")[0] == 401


def test_a_code_is_too_old_after_a_minute() -> None:
    now = [0.0]
    sign_in = SignIn(lambda: now[0])
    code = sign_in.new_code()
    now[0] = CODE_SECONDS + 0.1
    assert not sign_in.knows_code(code)
    assert sign_in.redeem(code) is None


def test_codes_and_keys_do_not_pile_up() -> None:
    sign_in = SignIn()
    codes = [sign_in.new_code() for _ in range(MOST_CODES + 1)]
    assert [sign_in.knows_code(code) for code in codes] == [False] + [True] * MOST_CODES
    keys: list[str] = []
    for _ in range(MOST_KEYS + 1):
        key = sign_in.redeem(sign_in.new_code())
        assert key is not None
        keys.append(key)
    assert [sign_in.knows_key(key) for key in keys] == [False] + [True] * MOST_KEYS


def test_a_server_that_does_not_answer_is_said_so() -> None:
    with pytest.raises(NoPageLink, match="does not answer"):
        page_link(Runtime(1, "127.0.0.1", 9, "token", 1))


def test_whoever_has_taken_the_port_gets_no_token() -> None:
    heard: list[bytes] = []

    class Impostor(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(str(self.headers).encode())
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Acetate nonce="n", proof="p"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    impostor = http.server.HTTPServer(("127.0.0.1", 0), Impostor)
    thread = threading.Thread(target=impostor.serve_forever)
    thread.start()
    try:
        with pytest.raises(NoPageLink, match="not the server"):
            page_link(Runtime(1, "127.0.0.1", impostor.server_port, "the-secret-token", 1))
    finally:
        impostor.shutdown()
        impostor.server_close()
        thread.join()
    assert len(heard) == 1
    assert b"the-secret-token" not in heard[0]
