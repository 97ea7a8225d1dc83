from __future__ import annotations

import hashlib
import http.client
import json
import time
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from acetate.app.job_routes import advised
from acetate_bridge.protocol.messages import ModelInfo, Submit
from acetate_bridge.protocol.png import read_png, write_png
from acetate_bridge.protocol.types import Recipe
from tests.app.server_process import LONG, TOKEN, RunningServer
from tests.workers.fake_painter import solid


def ask(
    server: RunningServer, method: str, path: str, body: Any = None, kind: str = "application/json"
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.runtime.port, timeout=LONG)
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind}
    try:
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def finished(server: RunningServer, job: str) -> dict[str, Any]:
    until = time.monotonic() + LONG
    while time.monotonic() < until:
        status = json.loads(ask(server, "GET", f"/v1/jobs/{job}")[1])
        if status["state"] in ("done", "failed", "cancelled"):
            return status
        time.sleep(0.02)
    raise AssertionError("the job did not end")


def test_a_script_paints_a_layer_around_its_picture(server: RunningServer) -> None:
    picture = solid(20, 10, 99)
    code, body = ask(server, "POST", "/v1/images", write_png(picture), "image/png")
    reference = json.loads(body)
    assert code == 201 and reference["sha256"] == hashlib.sha256(picture.data).hexdigest()
    order = {
        "recipe": {"mode": "echo", "prompt": "x", "steps": 2},
        "images": {"picture": reference},
    }
    code, body = ask(server, "POST", "/v1/jobs", order)
    assert code == 202
    job = json.loads(body)["job"]
    status = finished(server, job)
    assert status["state"] == "done" and status["layers"][0]["width"] == 20
    code, body = ask(server, "GET", f"/v1/jobs/{job}/layers/0")
    assert code == 200 and read_png(body) == picture
    assert job in [entry["job"] for entry in json.loads(ask(server, "GET", "/v1/jobs")[1])]
    code, body = ask(server, "POST", f"/v1/jobs/{job}/acknowledge")
    assert code == 200 and json.loads(body)["acknowledged"]


def test_what_a_script_leaves_out_is_what_suits_the_model() -> None:
    model = ModelInfo("m", family="sdxl", steps=25, guidance=7.0)
    bare = Recipe("text", "x")
    found = advised(bare, {"mode", "prompt"}, model)
    assert (found.steps, found.guidance) == (25, 7)
    found = advised(replace(bare, steps=4), {"mode", "steps"}, model)
    assert (found.steps, found.guidance) == (4, 7)
    found = advised(replace(bare, scheduler="lightning"), {"scheduler"}, model)
    assert (found.steps, found.guidance) == (4, 1)
    assert advised(bare, {}, None) == advised(bare, {}, ModelInfo("m")) == bare


def test_raw_pixels_may_be_uploaded_too(server: RunningServer) -> None:
    picture = solid(5, 4, 1)
    path = "/v1/images?width=5&height=4&format=rgba8"
    code, body = ask(server, "POST", path, picture.data, "application/octet-stream")
    assert code == 201 and json.loads(body)["height"] == 4


def test_a_script_cancels_its_job(server: RunningServer) -> None:
    order = {"recipe": {"mode": "text", "prompt": "step=0.5", "steps": 150}}
    job = json.loads(ask(server, "POST", "/v1/jobs", order)[1])["job"]
    assert ask(server, "POST", f"/v1/jobs/{job}/acknowledge")[0] == 409
    assert ask(server, "DELETE", f"/v1/jobs/{job}")[0] == 202
    assert finished(server, job)["state"] == "cancelled"


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        (b"{", "bad_json", 400),
        (b"[]", "bad_message", 400),
        (b"[" * 100_000, "bad_json", 400),
        (b'{"recipe": {}}', "bad_message", 400),
        (b'{"recipe": {"mode": "text"}, "path": "/etc/passwd"}', "bad_message", 400),
        (b'{"recipe": {"mode": "text", "stpes": 3}}', "bad_message", 400),
        (b'{"recipe": {"mode": "text", "steps": "3"}}', "bad_message", 400),
        (b'{"recipe": {"mode": "text", "steps": 1e999}}', "bad_message", 400),
        (b'{"recipe": {"mode": "text"}, "job": "../../etc"}', "bad_job_id", 400),
        (b'{"recipe": {"mode": "nosuch"}}', "unknown_mode", 400),
        (b'{"recipe": {"mode": "text", "prompt": "' + b"x" * 2**20 + b'"}}', "too_large", 413),
    ],
    ids=range(11),
)
def test_bad_jobs_are_refused_with_a_code_and_a_sentence(
    server: RunningServer, body: bytes, code: str, status: int
) -> None:
    answered, text = ask(server, "POST", "/v1/jobs", body)
    problem = json.loads(text)
    assert (answered, problem["code"]) == (status, code) and problem["message"]


def test_a_job_whose_images_were_not_uploaded_names_them(server: RunningServer) -> None:
    missing = {"sha256": "0" * 64, "width": 1, "height": 1}
    order = {"recipe": {"mode": "text", "prompt": "x"}, "images": {"picture": missing}}
    status, text = ask(server, "POST", "/v1/jobs", order)
    assert status == 409 and json.loads(text)["images"] == ["0" * 64]


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/v1/images", b"not a png", "image/png"),
        ("/v1/images", write_png(solid(3, 3, 1))[:-20], "image/png"),
        ("/v1/images", b"GIF89a", "image/gif"),
        ("/v1/images", bytes(16), "application/octet-stream"),
        ("/v1/images?width=2&height=3", bytes(16), "application/octet-stream"),
        ("/v1/images?width=2&height=x", bytes(16), "application/octet-stream"),
        ("/v1/images?width=99999&height=99999", bytes(16), "application/octet-stream"),
        ("/v1/images?width=2&height=2&format=rgb8", bytes(16), "application/octet-stream"),
    ],
)
def test_bad_images_are_refused(server: RunningServer, path: str, body: bytes, kind: str) -> None:
    status, text = ask(server, "POST", path, body, kind)
    assert 400 <= status < 500 and json.loads(text)["message"]


@pytest.mark.parametrize("index", ["1", "-1", "x", "0" * 30, "%2e%2e"])
def test_layers_that_are_not_there_are_not_found(server: RunningServer, index: str) -> None:
    order = {"recipe": {"mode": "text", "prompt": "x", "steps": 1}}
    job = json.loads(ask(server, "POST", "/v1/jobs", order)[1])["job"]
    finished(server, job)
    assert ask(server, "GET", f"/v1/jobs/{job}/layers/{index}")[0] == 404


def test_the_description_covers_every_route_and_its_types(server: RunningServer) -> None:
    status, text = ask(server, "GET", "/v1/openapi.json")
    document = json.loads(text)
    assert status == 200 and document["openapi"].startswith("3.1")
    assert set(document["paths"]["/v1/jobs"]) == {"get", "post"}
    fields = document["components"]["schemas"]["Submit"]["properties"]
    assert set(fields) == {field.name for field in msgspec.inspect.type_info(Submit).fields}  # type: ignore[union-attr]
    references = text.decode().split('"#/components/schemas/')[1:]
    names = {reference.split('"')[0] for reference in references}
    assert names <= set(document["components"]["schemas"])
