"""What local servers of image and language models were attacked with: pages, names, addresses."""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path

import pytest

from acetate.errors import BadRequest
from acetate.jobs.admission import DEFAULT_LIMITS, check_submit
from acetate.jobs.records import Refused
from acetate.model_import.importing import is_repository
from acetate.models.own_register import own_file, own_named
from acetate.models.registry import model_named
from acetate.workers.engine import Announcement
from acetate.workers.known_offer import embedded_model
from acetate_bridge import Control, Done, Failed, Recipe
from acetate_bridge.client.address import BadAddress, session_url
from acetate_bridge.protocol.messages import ModeInfo, Submit
from tests.app.listening import Listener
from tests.app.server_process import LONG, TOKEN, RunningServer
from tests.app.test_fuzz import opened

JOB = json.dumps({"recipe": {"mode": "text", "prompt": "from a page", "steps": 1}}).encode()
UPGRADE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
)
OURS = f"Authorization: Bearer {TOKEN}"
ELSEWHERE = [
    "../../../etc/passwd", "..\\..\\windows\\win.ini", "/etc/passwd", "C:\\x.safetensors",
    "file:///etc/passwd", "file://evil/share/x", "\\\\evil\\share\\x.safetensors", "//evil/share/x",
    "https://evil.example/x.safetensors", "smb://evil/x", "evil/model", "~/x", "$HOME/x",
    "x\0.ckpt", "x\r\nX: y", "con", "..", ".", "%2e%2e%2fx", "․․/x", "a/../b",
]  # fmt: skip
"""Names that lead somewhere when they are taken for a path or an address."""


def raw(server: RunningServer, method: str, path: str, *lines: str, body: bytes = b"") -> bytes:
    """Whatever comes back for exactly these lines until the server closes."""
    head = [f"{method} {path} HTTP/1.1", *lines, "Connection: close"]
    if body:
        head.append(f"Content-Length: {len(body)}")
    data = "\r\n".join([*head, "", ""]).encode("utf-8", "surrogateescape") + body
    with socket.create_connection(("127.0.0.1", server.runtime.port), timeout=LONG) as link:
        link.sendall(data)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while piece := link.recv(2**16):
                answer += piece
                if b" 101 " in answer[:20]:
                    break
        return answer


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def host(server: RunningServer) -> str:
    return f"Host: {server.runtime.address}"


def jobs(server: RunningServer) -> list[object]:
    answer = raw(server, "GET", "/v1/jobs", host(server), OURS)
    return json.loads(answer.split(b"\r\n\r\n", 1)[1])


# ---- pages


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain; charset=utf-8",
        "application/json",
        "",
    ],
)
@pytest.mark.parametrize(
    "page",
    [
        ("Origin: null",),
        ("Origin: https://evil.example", "Sec-Fetch-Site: cross-site"),
        ("Referer: https://evil.example/",),
        ("Cookie: token=x", "Sec-Fetch-Mode: no-cors"),
        (),
    ],
)
def test_a_page_can_ask_for_no_job_whatever_its_form_sends(
    server: RunningServer, kind: str, page: tuple[str, ...]
) -> None:
    before = jobs(server)
    for method, path in (("POST", "/v1/jobs"), ("POST", "/v1/images"), ("DELETE", "/v1/jobs/x")):
        lines = [host(server), *page, *([f"Content-Type: {kind}"] if kind else [])]
        answer = raw(server, method, path, *lines, body=JOB)
        assert status(answer) in (401, 403)
        assert b"access-control" not in answer.lower()
    assert jobs(server) == before


@pytest.mark.parametrize("origin", ["null", "https://evil.example", "http://127.0.0.1:1"])
def test_no_preflight_is_answered_with_leave(server: RunningServer, origin: str) -> None:
    asking = (
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: authorization",
        "Access-Control-Request-Private-Network: true",
    )
    for token in ((), (OURS,)):
        answer = raw(
            server, "OPTIONS", "/v1/jobs", host(server), f"Origin: {origin}", *asking, *token
        )
        assert status(answer) in (401, 403) and b"access-control" not in answer.lower()


@pytest.mark.parametrize(
    "lines",
    [
        ("Origin: null", OURS),
        ("Origin: https://evil.example", OURS),
        ("Origin: https://evil.example",),
        ("Origin: null",),
        ("Sec-WebSocket-Protocol: bearer, " + TOKEN,),
        ("Cookie: token=" + TOKEN,),
        ("Sec-Fetch-Site: cross-site", OURS),
    ],
)
def test_a_foreign_page_opens_no_session(server: RunningServer, lines: tuple[str, ...]) -> None:
    answer = raw(server, "GET", "/v1/session", host(server), *UPGRADE, *lines)
    assert status(answer) in (401, 403)


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example", "localhost.evil", "a"])
def test_a_name_that_was_rebound_to_this_machine_is_not_answered(
    server: RunningServer, name: str
) -> None:
    there = f"Host: {name}:{server.runtime.port}"
    for path, lines in (("/v1/jobs", ()), ("/", ()), ("/v1/session", UPGRADE)):
        answer = raw(server, "GET", path, there, OURS, *lines)
        assert status(answer) == 403 and TOKEN.encode() not in answer
        rewritten = (f"X-Forwarded-Host: {server.runtime.address}", f"Forwarded: host={name}")
        assert status(raw(server, "GET", path, there, OURS, *rewritten)) == 403


# ---- ends of lines in names


@pytest.mark.parametrize("end", ["%0d%0a", "%0a", "%0d", "%E5%98%8A%E5%98%8D", "%00", "%E2%80%A8"])
def test_the_end_of_a_line_in_a_path_ends_no_header(server: RunningServer, end: str) -> None:
    for path in (
        "/v1/jobs/{}",
        "/v1/jobs/{}/layers/0",
        "/v1/jobs/{}/export",
        "/v1/models/{}",
        "/{}",
    ):
        evil = path.format(f"x{end}Set-Cookie:%20a=b{end}{end}<script>")
        answer = raw(server, "GET", evil, host(server), OURS)
        head = answer.split(b"\r\n\r\n", 1)[0].lower()
        assert status(answer) in (400, 404)
        assert b"set-cookie" not in head and b"<script>" not in head


def test_the_end_of_a_line_in_a_header_is_malformed(server: RunningServer) -> None:
    for value in ("a\rb", "a\nb", "a\0b", "a\r\n b"):
        answer = raw(server, "GET", "/v1/jobs", host(server), OURS, f"X: {value}")
        assert status(answer) == 400 and TOKEN.encode() not in answer


def test_the_end_of_a_line_in_a_message_forges_no_line_of_the_log(server: RunningServer) -> None:
    forged = "x\r\n2026-01-01 FORGED\n\x1b[31mFORGED"
    since = len(server.log.read_text())
    with Listener(server.runtime.address, TOKEN, name=forged[:60]) as listener:
        for recipe in (
            {"model": forged},
            {"mode": forged},
            {"scheduler": forged},
            {"prompt": f"break {forged}"},
            {"prompt": f"bug {forged}"},
            {"software": forged},
        ):
            listener.ending(listener.submit(**recipe))  # type: ignore[arg-type]
        listener.client.pull(forged, [forged])
        assert isinstance(listener.ending(listener.submit()), Done)
    with opened(server) as connection:
        for message in ({"type": forged}, {"type": "cancel", "job": forged, forged: 1}):
            connection.send(json.dumps(message))
            connection.recv(LONG)
    said = server.log.read_text()[since:]
    assert "\x1b" not in said
    assert not [line for line in said.splitlines() if line.startswith(("2026-01-01", "FORGED"))]


# ---- paths and addresses instead of names


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_path_or_an_address_names_no_model(server: RunningServer, name: str) -> None:
    with pytest.raises(BadRequest):
        model_named(name)
    assert own_file(name) is None
    for role in ("style", "control"):
        with pytest.raises(BadRequest):
            own_named(name, role)  # type: ignore[arg-type]
    with Listener(server.runtime.address, TOKEN) as listener:
        failed = listener.ending(listener.submit(model=name))
        assert isinstance(failed, Failed) and failed.code in ("unknown_model", "bad_message")
    with opened(server) as connection:
        for order in ("pull", "pause", "remove"):
            more = {"accepted": []} if order == "pull" else {}
            connection.send(json.dumps({"type": order, "model": name, **more}))
            said = json.loads(connection.recv(LONG))
            assert said["type"] == "problem" and said["code"] in ("unknown_model", "bad_message")


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_path_or_an_address_names_no_style(name: str) -> None:
    model = embedded_model()
    offer = Announcement([model], [ModeInfo(mode) for mode in model.modes])
    with pytest.raises(Refused):
        check_submit(
            Submit("job-0001", Recipe("text", "x", styles={name: 1.0})), DEFAULT_LIMITS, offer
        )
    # A control network is looked up by the same list (`own_named`), where the job is painted.
    with pytest.raises(BadRequest):
        own_named(Control("canny", model=name).model, "control")


@pytest.mark.parametrize("name", [name for name in ELSEWHERE if name != "evil/model"])
def test_a_path_or_an_address_names_no_repository(name: str) -> None:
    assert not is_repository(name)


@pytest.mark.parametrize(
    "name",
    ["../../x.png", "/v1/images/..%2f..%2fx", "x?filename=../../x", "x;filename=/etc/x"],
)
def test_an_upload_has_no_name_to_play_tricks_with(server: RunningServer, name: str) -> None:
    """Its file is called after its own pixels, whatever is said beside them."""
    folder = server.folder / "data"
    before = {path for path in folder.rglob("*") if path.is_file()}
    pixels = bytes(range(64))
    answer = raw(
        server, "POST", "/v1/images?width=4&height=4", host(server), OURS,
        "Content-Type: application/octet-stream",
        f'Content-Disposition: attachment; filename="{name}"', f"X-File-Name: {name}", body=pixels,
    )  # fmt: skip
    assert status(answer) == 201
    fresh = {path for path in folder.rglob("*") if path.is_file()} - before
    assert {path.parent.name for path in fresh if path.name.startswith("image-")} <= {"pixels"}
    assert all(Path(name).name not in path.name for path in fresh)


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "file://evil/share", "\\\\evil\\share", "//evil/share", "smb://evil/x",
     "unix:///tmp/x", "javascript:alert(1)", "http://evil@127.0.0.1:1", "127.0.0.1:1\r\nX: y",
     "data:,x", "gopher://x", "evil host:1", "http://:secret@127.0.0.1:1"],
)  # fmt: skip
def test_what_is_no_address_of_a_server_is_not_connected_to(address: str) -> None:
    with pytest.raises(BadAddress):
        session_url(address)
