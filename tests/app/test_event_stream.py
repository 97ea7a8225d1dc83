"""Jobs of scripts as they change, in lines, and the pictures that a page shows of them."""

from __future__ import annotations

import http.client
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

from PIL import Image as Pillow

from tests.app.server_process import LONG, TOKEN, RunningServer

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def connection(server: RunningServer) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(server.runtime.host, server.runtime.port, timeout=LONG)


def fetch(server: RunningServer, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
    link = connection(server)
    try:
        link.request(method, path, None if body is None else json.dumps(body), HEADERS)
        answer = link.getresponse()
        return answer.status, answer.read()
    finally:
        link.close()


def changes(answer: http.client.HTTPResponse, job: str) -> Iterator[dict[str, Any]]:
    """Changes of one job until it has ended."""
    while True:
        line = answer.readline().strip()
        if not line:
            continue
        change = json.loads(line)
        if change["job"]["job"] == job:
            yield change
            if change["job"]["state"] in ("done", "failed", "cancelled"):
                return


def follow(server: RunningServer, recipe: dict[str, Any], variants: int = 1) -> list[Any]:
    link = connection(server)
    link.request("GET", "/v1/events", headers=HEADERS)
    answer = link.getresponse()
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.readline() == b"\n"
    status, body = fetch(server, "POST", "/v1/jobs", {"recipe": recipe, "variants": variants})
    assert status == 202, body
    found = list(changes(answer, json.loads(body)["job"]))
    link.close()
    return found


def test_a_reader_sees_a_job_from_its_first_step_to_its_layers(server: RunningServer) -> None:
    found = follow(server, {"mode": "text", "prompt": "a lantern", "steps": 4})
    assert found[-1]["job"]["state"] == "done"
    assert [layer["index"] for layer in found[-1]["job"]["layers"]] == [0]
    assert {change["job"]["state"] for change in found} <= {"queued", "running", "done"}


def test_readers_hear_that_a_result_was_acknowledged(server: RunningServer) -> None:
    job = follow(server, {"mode": "text", "prompt": "a lantern", "steps": 2})[-1]["job"]["job"]
    link = connection(server)
    link.request("GET", "/v1/events", headers=HEADERS)
    answer = link.getresponse()
    assert answer.readline() == b"\n"
    assert fetch(server, "POST", f"/v1/jobs/{job}/acknowledge")[0] == 200
    assert list(changes(answer, job))[-1]["job"]["acknowledged"]
    link.close()


def test_a_variant_is_exported_with_its_layers(server: RunningServer) -> None:
    job = follow(server, {"mode": "text", "prompt": "a lantern", "steps": 2}, 2)[-1]["job"]
    status, body = fetch(server, "GET", f"/v1/jobs/{job['job']}/export?format=ora&variant=1")
    assert status == 200
    archive = zipfile.ZipFile(io.BytesIO(body))
    layer = job["layers"][1]
    picture = Pillow.open(io.BytesIO(archive.read("data/layer0.png")))
    assert picture.size == (layer["width"], layer["height"])
    status, body = fetch(server, "GET", f"/v1/jobs/{job['job']}/export?format=psd")
    assert (status, body[:4]) == (200, b"8BPS")


def test_what_cannot_be_exported_is_said(server: RunningServer) -> None:
    job = follow(server, {"mode": "text", "prompt": "a lantern", "steps": 2})[-1]["job"]["job"]
    for query, status in (("format=xcf", 400), ("variant=7", 404), ("variant=x", 404)):
        assert fetch(server, "GET", f"/v1/jobs/{job}/export?{query}")[0] == status
    assert fetch(server, "GET", "/v1/jobs/none/export")[0] == 404
    assert fetch(server, "GET", "/v1/jobs/none/preview")[0] == 404


def test_a_job_that_has_ended_cannot_be_painted_first(server: RunningServer) -> None:
    job = follow(server, {"mode": "text", "prompt": "a lantern", "steps": 2})[-1]["job"]["job"]
    assert fetch(server, "POST", f"/v1/jobs/{job}/first")[0] == 409
    assert fetch(server, "POST", "/v1/jobs/none/first")[0] == 404


def test_the_order_of_what_waits_is_told_and_changed(server: RunningServer) -> None:
    recipe = {"mode": "text", "prompt": "step=0.5", "steps": 150}
    jobs = [
        json.loads(fetch(server, "POST", "/v1/jobs", {"recipe": recipe})[1])["job"]
        for _ in range(4)
    ]
    running, one, two, three = jobs
    try:
        assert fetch(server, "POST", f"/v1/jobs/{three}/move", {"before": one})[0] == 200
        assert fetch(server, "POST", f"/v1/jobs/{one}/move", {})[0] == 200
        found = {job["job"]: job for job in json.loads(fetch(server, "GET", "/v1/jobs")[1])}
        waiting = [job for job in jobs if found[job]["state"] == "queued"]
        waiting.sort(key=lambda job: found[job]["ahead"])
        assert [job for job in waiting if job != running] == [three, two, one]
        assert fetch(server, "POST", f"/v1/jobs/{two}/move", {"before": "none"})[0] == 409
        assert fetch(server, "POST", f"/v1/jobs/{two}/move", {"after": one})[0] == 400
        assert fetch(server, "POST", "/v1/jobs/none/move", {})[0] == 404
    finally:
        for job in jobs:
            fetch(server, "DELETE", f"/v1/jobs/{job}")


def test_a_frame_is_planned_for_any_size(server: RunningServer) -> None:
    models = json.loads(fetch(server, "GET", "/v1/models")[1])["models"]
    wish = {"width": 333, "height": 200, "model": models[0]["id"]}
    status, body = fetch(server, "POST", "/v1/frames", wish)
    frame = json.loads(body)
    assert (status, frame["region"]) == (200, {"x": 0, "y": 0, "width": 333, "height": 200})
    assert fetch(server, "POST", "/v1/frames", {**wish, "width": 0})[0] == 400
    assert fetch(server, "POST", "/v1/frames", {**wish, "model": "none"})[0] == 404
