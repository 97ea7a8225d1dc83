"""What is written about the interface is how it is: the client of the page, and the description."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from acetate.app.openapi import document
from acetate.app.route_table import ROUTES
from acetate.images.files import read_image
from acetate.images.recipe_texts import recipes_in
from acetate_bridge.protocol.messages import CLIENT_MESSAGES, SERVER_MESSAGES
from acetate_bridge.protocol.png import write_png
from acetate_bridge.protocol.setup import memory_of
from tests.app.server_process import LONG, ROOT, TOKEN, RunningServer
from tests.app.test_http import ask, finished
from tests.workers.fake_painter import solid

PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
PROBLEM = {"$ref": "#/components/schemas/Problem"}


def client() -> str:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    return code


def test_the_client_of_the_page_has_thirty_lines_or_so() -> None:
    lines = [line for line in client().splitlines() if line.strip()]
    assert len(lines) <= 34


def test_the_page_names_every_message() -> None:
    for name in (*CLIENT_MESSAGES, *SERVER_MESSAGES):
        assert f"`{name}`" in PAGE, name


def test_the_client_of_the_page_paints(server: RunningServer, tmp_path: Path) -> None:
    code = client()
    words = [server.runtime.address, TOKEN, "a red apple", str(tmp_path / "a.png")]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=LONG
    )
    assert "'type': 'done'" in done.stdout, done.stdout + done.stderr
    assert read_image(tmp_path / "a.png").width > 0


@pytest.fixture(scope="module")
def described() -> dict:
    return json.loads(json.dumps(document(ROUTES)))


def operations(described: dict) -> list[tuple[str, str, dict]]:
    return [
        (method, path, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_refusal_is_described(described: dict) -> None:
    for _, path, operation in operations(described):
        for status, response in operation["responses"].items():
            assert response["description"], (path, status)
            if status.isdecimal() and int(status) >= 400 and (path, status) != ("/", "401"):
                assert response["content"]["application/json"]["schema"] == PROBLEM


def test_every_body_has_a_schema(described: dict) -> None:
    for _, path, operation in operations(described):
        bodies = [operation["responses"][code] for code in operation["responses"]]
        bodies += [operation["requestBody"]] if "requestBody" in operation else []
        for body in bodies:
            for kind, content in body.get("content", {}).items():
                assert content["schema"], (path, kind)


def test_every_reference_leads_somewhere(described: dict) -> None:
    known = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    assert set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(described))) <= known


def test_what_is_optional_at_the_server_is_optional_there(
    described: dict, server: RunningServer
) -> None:
    assert described["components"]["schemas"]["SubmitOrder"]["required"] == ["recipe"]
    recipe = described["components"]["schemas"]["Recipe"]
    assert recipe["required"] == ["mode"]
    least = {"recipe": {"mode": "text", "prompt": "x"}}
    assert ask(server, "POST", "/v1/jobs", least)[0] == 202


def test_layers_carry_their_recipe(server: RunningServer) -> None:
    order = {"recipe": {"mode": "text", "prompt": "a red apple", "steps": 2}}
    job = json.loads(ask(server, "POST", "/v1/jobs", order)[1])["job"]
    assert finished(server, job)["state"] == "done"
    code, body = ask(server, "GET", f"/v1/jobs/{job}/layers/0")
    assert code == 200
    (recipe,) = recipes_in(body)
    assert recipe.prompt == "a red apple"


@pytest.mark.parametrize("kind", ["image/jpeg", "image/webp", "image/png"])
def test_any_picture_is_taken_as_an_input(server: RunningServer, kind: str) -> None:
    import io

    from PIL import Image as Pillow

    file = io.BytesIO()
    Pillow.new("L", (20, 10), 90).save(file, kind.partition("/")[2].upper())
    code, body = ask(server, "POST", "/v1/images", file.getvalue(), kind)
    found = json.loads(body)
    assert (code, found["width"], found["height"], found["format"]) == (201, 20, 10, "rgba8")


def test_what_is_no_picture_is_refused(server: RunningServer) -> None:
    whole = write_png(solid(20, 10, 9))
    for kind, data in (
        ("image/jpeg", b"hello"),
        ("image/tiff", b"II*\0"),
        ("image/png", whole[:40]),
    ):
        code, body = ask(server, "POST", "/v1/images", data, kind)
        assert (code, json.loads(body)["code"]) == (400, "bad_image")
    assert ask(server, "POST", "/v1/images", b"x", "text/plain")[0] == 415


def test_the_set_up_is_told_part_by_part(server: RunningServer) -> None:
    code, body = ask(server, "GET", "/v1/setup")
    found = json.loads(body)
    names = [part["name"] for part in found["parts"]]
    assert code == 200 and names[:2] == ["program", "server"] and "model embedded" in names
    for part in found["parts"]:
        assert part["state"] == "here" or part["cure"], part
    assert {each["model"] for each in found["models"]} >= {"embedded", "sd15", "sdxl"}
    assert memory_of("NVIDIA RTX, 12282 MiB") == 12.9 and memory_of("AMD") < 0
