"""Who is let in: every route of the router against every way to come without a right to."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from acetate.app.application import create_app
from acetate.app.auth import Gate, is_loopback, names_for
from acetate.app.route_table import ROUTES
from acetate.app.settings import Settings
from tests.app.server_process import LONG, TOKEN, RunningServer

JOB = "abcdefgh"


@dataclass(frozen=True)
class Shape:
    """One request: `host` None sends no Host header, `token` None no Authorization."""

    method: str
    path: str
    token: str | None = f"Bearer {TOKEN}"
    host: str | None = "127.0.0.1:{port}"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def send(server: RunningServer, shape: Shape) -> int:
    port = server.runtime.port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONG)
    try:
        connection.putrequest(shape.method, shape.path, skip_host=True, skip_accept_encoding=True)
        if shape.host is not None:
            connection.putheader("Host", shape.host.format(port=port))
        if shape.token is not None:
            connection.putheader("Authorization", shape.token)
        for name, value in shape.headers:
            connection.putheader(name, value.format(port=port))
        connection.putheader("Content-Length", str(len(shape.body)))
        connection.endheaders(shape.body)
        return connection.getresponse().status
    finally:
        connection.close()


UPGRADE = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
)


def routes() -> list[tuple[str, str]]:
    """Method and path of everything that the application's own router knows."""
    nowhere = Path("nowhere")
    settings = Settings(data_folder=nowhere, runtime_folder=nowhere, token=TOKEN)
    app = create_app(settings, None, [], lambda: 0)  # type: ignore[arg-type]
    found: list[tuple[str, str]] = []
    for route in app.router.routes():
        assert route.resource is not None
        found.append((route.method, filled(route.resource.canonical)))
    return found


def filled(path: str) -> str:
    return path.replace("{job}", JOB).replace("{index}", "0").replace("{model}", "fake")


def good(method: str, path: str) -> Shape:
    """The request as it should be."""
    return Shape(method, path, headers=UPGRADE if path == "/v1/session" else ())


INTRUSIONS = {
    "no token": lambda shape: replace(shape, token=None),
    "a wrong token": lambda shape: replace(shape, token="Bearer wrong"),
    "an empty token": lambda shape: replace(shape, token="Bearer "),
    "another scheme": lambda shape: replace(shape, token=f"Basic {TOKEN}"),
    "the bare token": lambda shape: replace(shape, token=TOKEN),
    "half the token": lambda shape: replace(shape, token=f"Bearer {TOKEN[:-1]}"),
    "more than the token": lambda shape: replace(shape, token=f"Bearer {TOKEN}x"),
    "the token in the URL": lambda shape: replace(
        shape, token=None, path=f"{shape.path}?token={TOKEN}"
    ),
    "the token in the URL too": lambda shape: replace(shape, path=f"{shape.path}?token={TOKEN}"),
    "the token in a cookie": lambda shape: replace(
        shape, token=None, headers=(*shape.headers, ("Cookie", f"token={TOKEN}"))
    ),
    "two tokens": lambda shape: replace(
        shape, headers=(*shape.headers, ("Authorization", "Bearer wrong"))
    ),
    "a forged host": lambda shape: replace(shape, host="evil.example"),
    "a forged host with our port": lambda shape: replace(shape, host="evil.example:{port}"),
    "an empty host": lambda shape: replace(shape, host=""),
    "no host": lambda shape: replace(shape, host=None),
    "two hosts": lambda shape: replace(
        shape, headers=(*shape.headers, ("Host", "127.0.0.1:{port}"))
    ),
    "localhost with a dot": lambda shape: replace(shape, host="localhost.:{port}"),
    "a subdomain of localhost": lambda shape: replace(shape, host="a.localhost:{port}"),
    "a rebinding name": lambda shape: replace(shape, host="127.0.0.1.nip.io:{port}"),
    "a decimal address": lambda shape: replace(shape, host="2130706433:{port}"),
    "a short address": lambda shape: replace(shape, host="127.1:{port}"),
    "a hexadecimal address": lambda shape: replace(shape, host="0x7f000001:{port}"),
    "an octal address": lambda shape: replace(shape, host="0177.0.0.1:{port}"),
    "any address": lambda shape: replace(shape, host="0.0.0.0:{port}"),
    "another IPv6 address": lambda shape: replace(shape, host="[2001:db8::1]:{port}"),
    "a mapped IPv6 address": lambda shape: replace(shape, host="[::ffff:127.0.0.1]:{port}"),
    "a long IPv6 loopback": lambda shape: replace(shape, host="[0:0:0:0:0:0:0:1]:{port}"),
    "another port": lambda shape: replace(shape, host="127.0.0.1:1"),
    "no port": lambda shape: replace(shape, host="127.0.0.1"),
    "a user in the host": lambda shape: replace(shape, host="127.0.0.1@evil.example:{port}"),
    "a foreign origin": lambda shape: replace(
        shape, headers=(*shape.headers, ("Origin", "https://evil.example"))
    ),
    "the null origin": lambda shape: replace(shape, headers=(*shape.headers, ("Origin", "null"))),
    "an empty origin": lambda shape: replace(shape, headers=(*shape.headers, ("Origin", ""))),
    "another port's origin": lambda shape: replace(
        shape, headers=(*shape.headers, ("Origin", "http://127.0.0.1:1"))
    ),
    "our origin over TLS": lambda shape: replace(
        shape, headers=(*shape.headers, ("Origin", "https://127.0.0.1:{port}"))
    ),
    "an extension's origin": lambda shape: replace(
        shape, headers=(*shape.headers, ("Origin", "chrome-extension://abcdef"))
    ),
    "a file's origin": lambda shape: replace(
        shape, headers=(*shape.headers, ("Origin", "file://"))
    ),
    "two origins": lambda shape: replace(
        shape,
        headers=(
            *shape.headers,
            ("Origin", "http://127.0.0.1:{port}"),
            ("Origin", "https://evil.example"),
        ),
    ),
    "a cross-site fetch": lambda shape: replace(
        shape, headers=(*shape.headers, ("Sec-Fetch-Site", "cross-site"))
    ),
    "a same-site fetch": lambda shape: replace(
        shape, headers=(*shape.headers, ("Sec-Fetch-Site", "same-site"))
    ),
}


def intrusions() -> Iterator[tuple[str, Shape]]:
    for method, path in routes():
        for name, spoil in INTRUSIONS.items():
            yield f"{method} {path} with {name}", spoil(good(method, path))


def test_the_router_holds_exactly_the_table_of_routes() -> None:
    table = [(route.method, filled(route.path)) for route in ROUTES]
    assert sorted(routes()) == sorted(table)


def test_every_intrusion_on_every_route_is_refused(server: RunningServer) -> None:
    shapes = list(intrusions())
    assert len(shapes) >= 60
    answers = {name: send(server, shape) for name, shape in shapes}
    let_in = {name: status for name, status in answers.items() if not 400 <= status < 500}
    assert let_in == {}


def test_without_the_token_even_what_does_not_exist_is_unauthorised(server: RunningServer) -> None:
    paths = ["/nowhere", "/v1/../../etc/passwd", "/v1/jobs/", "//v1/jobs", "/v1/models/x/y"]
    assert {send(server, Shape("GET", path, token=None)) for path in paths} == {401}


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/v1", "/v1/", "/v1/../../etc/passwd", "/v1/%2e%2e/%2e%2e/etc/passwd", "//",
     "/v1/jobs/a/b/c", "/v1/models/../../../etc/passwd", "/v1/jobs/..%2f..%2fetc%2fpasswd/x"],
)  # fmt: skip
def test_unknown_routes_are_not_found(server: RunningServer, path: str) -> None:
    assert send(server, Shape("GET", path)) == 404


def test_wrong_methods_are_refused_on_every_route(server: RunningServer) -> None:
    known = routes()
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
    wrong = [
        Shape(method, path)
        for path in sorted({path for _, path in known})
        for method in methods
        if (method, path) not in known
    ]
    assert len(wrong) > 40
    assert {send(server, shape) for shape in wrong} == {405}


@pytest.mark.parametrize("field", ["path=/etc/passwd", "x=1", "width=5"])
def test_unknown_query_fields_are_refused(server: RunningServer, field: str) -> None:
    assert send(server, Shape("GET", f"/v1/models?{field}")) == 400


LEGITIMATE = [
    Shape("GET", "/v1/models"),
    Shape("GET", "/v1/health"),
    Shape("GET", "/v1/jobs"),
    Shape("GET", "/v1/openapi.json"),
    Shape("GET", "/"),
    Shape("GET", "/v1/models", host="localhost:{port}"),
    Shape("GET", "/v1/models", host="LOCALHOST:{port}"),
    Shape("GET", "/v1/models", host="[::1]:{port}"),
    Shape("GET", "/v1/models", headers=(("Origin", "http://127.0.0.1:{port}"),)),
    Shape("GET", "/v1/models", headers=(("Origin", "http://localhost:{port}"),)),
    Shape("GET", "/v1/models", headers=(("Sec-Fetch-Site", "same-origin"),)),
    Shape("GET", "/v1/models", headers=(("Sec-Fetch-Site", "none"),)),
]


@pytest.mark.parametrize("shape", LEGITIMATE, ids=lambda shape: f"{shape.host}{shape.headers}")
def test_legitimate_requests_pass(server: RunningServer, shape: Shape) -> None:
    assert send(server, shape) == 200


def test_a_session_with_the_token_is_opened(server: RunningServer) -> None:
    assert send(server, good("GET", "/v1/session")) == 101


def test_the_page_asks_for_the_token_and_holds_none(server: RunningServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.runtime.port, timeout=LONG)
    connection.request("GET", "/")
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    assert response.status == 401 and TOKEN not in body and "<form" in body
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_server_for_others_answers_to_addresses_and_given_names_only() -> None:
    names, any_address = names_for("0.0.0.0", ["Studio.local"])
    assert any_address and "studio.local" in names and "evil.example" not in names
    assert not names_for("127.0.0.1", ["evil.example"])[1]
    assert "evil.example" not in names_for("127.0.0.1", ["evil.example"])[0]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("::", False), ("192.168.0.9", False), ("evil.example", False)],
)  # fmt: skip
def test_loopback_is_recognised(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_the_gate_never_shows_its_token_in_an_error() -> None:
    nowhere = Path("nowhere")
    settings = Settings(data_folder=nowhere, runtime_folder=nowhere, token=TOKEN)
    assert TOKEN not in repr(settings)
    assert TOKEN not in repr(Gate(TOKEN, 1, frozenset()))


def test_malformed_requests_leave_one_line_without_their_headers(server: RunningServer) -> None:
    import socket

    since = len(server.log.read_text())
    with socket.create_connection(("127.0.0.1", server.runtime.port), timeout=LONG) as raw:
        head = f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\x01\r\n\r\n"
        raw.sendall(head.encode())
        assert b" 400 " in raw.recv(4096)
    said = server.log.read_text()[since:]
    assert "malformed" in said and TOKEN not in said and "Traceback" not in said
