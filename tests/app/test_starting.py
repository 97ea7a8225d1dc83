"""While the worker is still starting: what cannot be painted is refused when it is submitted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from acetate.model_import.importing import import_any
from acetate_bridge import Recipe, Request
from acetate_bridge.protocol.messages import Accepted, Failed
from acetate_bridge.protocol.png import write_png
from tests.app.listening import Listener
from tests.app.server_process import TOKEN, RunningServer
from tests.app.test_http import ask
from tests.support.tiny_families import write_tiny_sd15
from tests.workers.fake_painter import solid

OWN = "my-folder"

DOOMED: list[tuple[dict[str, Any], str]] = [
    ({"mode": "sculpt"}, "unknown_mode"),
    ({"mode": "text", "model": "nosuch"}, "unknown_model"),
    ({"mode": "text", "model": "flux"}, "model_missing"),
    ({"mode": "text", "model": OWN}, "model_missing"),
    ({"mode": "text", "prompt": ""}, "bad_request"),
    ({"mode": "text", "prompt": " \n"}, "bad_request"),
    ({"mode": "text", "prompt": "x" * 9000}, "too_large"),
    ({"mode": "text", "width": 8, "height": 8}, "bad_request"),
    ({"mode": "text", "width": 100_000, "height": 8}, "bad_request"),
    ({"mode": "text", "scheduler": "nosuch"}, "bad_request"),
    ({"mode": "text", "styles": {"nosuch": 1.0}}, "bad_request"),
    ({"mode": "text", "control": {"kind": "scribble"}}, "bad_request"),
    ({"mode": "text", "steps": 0}, "bad_request"),
    ({"mode": "text", "passes": 3}, "bad_request"),
    ({"mode": "background"}, "bad_request"),
    ({"mode": "foreground"}, "bad_request"),
    ({"mode": "refine"}, "bad_request"),
    ({"mode": "fill"}, "bad_request"),
    ({"mode": "extract"}, "bad_request"),
    ({"mode": "decompose"}, "bad_request"),
    ({"mode": "upscale", "prompt": ""}, "bad_request"),
]


@pytest.fixture(scope="module")
def starting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of the real catalog whose worker never comes up, with a model of one's own."""
    folder = tmp_path_factory.mktemp("starting")
    write_tiny_sd15(folder / OWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACETATE_MODELS_DIR", str(folder / "models"))
        import_any(str(folder / OWN))
    painter = "tests.workers.fake_painter:open_never"
    with RunningServer(folder, painter, catalog=True) as running:
        yield running


@pytest.mark.parametrize(("recipe", "code"), DOOMED, ids=range(len(DOOMED)))
def test_over_http(starting: RunningServer, recipe: dict[str, Any], code: str) -> None:
    order = {"recipe": {"prompt": "a red apple", "steps": 2, "seed": 1, **recipe}}
    status, body = ask(starting, "POST", "/v1/jobs", order)
    problem = json.loads(body)
    assert problem["code"] == code and 400 <= status < 500, problem
    assert problem["message"].endswith(".")


def test_over_the_websocket(starting: RunningServer) -> None:
    with Listener(starting.runtime.address, TOKEN) as listener:
        for recipe, code in DOOMED:
            if "control" in recipe:
                continue  # The client itself asks for the picture.
            mode = recipe.get("mode", "text")
            values = {"prompt": "a red apple", **recipe, "mode": mode}
            failed = listener.ending(listener.submit(**values))
            assert isinstance(failed, Failed) and failed.code == code, (recipe, failed)


def test_a_picture_of_another_size_than_the_frame(starting: RunningServer) -> None:
    picture = solid(64, 64, 1)
    reference = json.loads(ask(starting, "POST", "/v1/images", write_png(picture), "image/png")[1])
    recipe = {"mode": "background", "prompt": "hills", "width": 512, "height": 512, "steps": 1}
    order = {"recipe": recipe, "images": {"layer": reference}}
    status, body = ask(starting, "POST", "/v1/jobs", order)
    assert status == 400 and "64 × 64" in json.loads(body)["message"]


def test_what_can_be_painted_is_taken_and_waits(starting: RunningServer) -> None:
    order = {"recipe": {"mode": "text", "prompt": "a red apple", "steps": 2, "seed": 1}}
    status, body = ask(starting, "POST", "/v1/jobs", order)
    assert status == 202
    job = json.loads(body)["job"]
    assert json.loads(ask(starting, "GET", f"/v1/jobs/{job}")[1])["state"] in ("queued", "running")
    with Listener(starting.runtime.address, TOKEN) as listener:
        own = listener.client.submit(Request(Recipe("text", "a red apple", seed=1, steps=2)))
        listener.wait(lambda event: isinstance(event, Accepted) and event.job == own)
