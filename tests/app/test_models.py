"""Models are fetched, watched, paused and removed over the wire."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from acetate_bridge import Failed, Recipe, Request
from tests.app.listening import Listener
from tests.app.server_process import LONG, TOKEN, RunningServer
from tests.app.test_http import ask
from tests.models.conftest import WEIGHTS
from tests.models.hub_server import Hub
from tests.models.test_download_plan import ENTRY
from tests.support.processes import children_running

pytestmark = [pytest.mark.slow, pytest.mark.matrix]

TOTAL = len(WEIGHTS) + 5


@pytest.fixture
def hub() -> Iterator[Hub]:
    files = {
        "someone/weights": {"w.safetensors": WEIGHTS},
        "someone/base": {"model_index.json": b"{}", "scheduler/config.json": b"{1}"},
    }
    with Hub(files) as running:
        yield running


@pytest.fixture
def house(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningServer]:
    """A server whose models come from the hub on loopback."""
    monkeypatch.setenv("HF_ENDPOINT", hub.address)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with RunningServer(
        tmp_path / "house",
        painter="tests.app.small_model:open_painter",
        downloader="tests.app.small_model",
    ) as running:
        yield running


@pytest.fixture
def watcher(house: RunningServer) -> Iterator[Listener]:
    with Listener(house.runtime.address, TOKEN) as listening:
        listening.model("test", lambda info: info.state == "missing")
        yield listening


def downloads_of(server: RunningServer) -> list[psutil.Process]:
    assert server.process is not None
    return children_running(server.process.pid, "tests.app.small_model")


def test_a_model_arrives_while_its_buyer_is_away(
    house: RunningServer, hub: Hub, watcher: Listener
) -> None:
    hub.pace = 0.15
    (missing,) = [info for info in watcher.offers[-1].models if info.id == "test"]
    assert missing.licences == ["mit"] and missing.progress == 0
    # From before the first word of it: this connection may hear many of them late, and together.
    began, before = time.monotonic(), len(watcher.offers)
    with Listener(house.runtime.address, TOKEN) as buyer:
        buyer.client.pull("test", ["mit"])
        buyer.model("test", lambda info: info.state == "downloading" and info.bytes_here > 0)
    ready = watcher.model("test", lambda info: info.state == "ready")
    took = time.monotonic() - began
    assert (ready.progress, ready.licences) == (1.0, [])
    stages = [info for offer in watcher.offers for info in offer.models if info.id == "test"]
    assert [info.bytes_here for info in stages[:-1]] == sorted(i.bytes_here for i in stages[:-1])
    assert any(info.seconds_left > 0 and info.bytes_total == TOTAL for info in stages)
    # A slow machine only makes this fewer.
    assert len(watcher.offers) - before <= took / 0.25 + 3
    assert hub.sent == TOTAL
    job = watcher.client.submit(Request(Recipe("text", "a cat", model="test", steps=1)))
    assert not isinstance(watcher.ending(job), Failed)


def test_a_paused_download_goes_on_where_it_stopped(
    house: RunningServer, hub: Hub, watcher: Listener
) -> None:
    hub.pace = 0.3
    watcher.client.pull("test", ["mit"])
    watcher.model("test", lambda info: info.bytes_here > TOTAL // 4)
    watcher.client.pause("test")
    paused = watcher.model("test", lambda info: info.state == "paused")
    assert 0 < paused.progress < 1 and "paused" in paused.reason
    assert downloads_of(house) == []
    hub.pace = 0.0
    hub.ranges.clear()
    watcher.client.pull("test")
    watcher.model("test", lambda info: info.state == "ready")
    assert int(hub.ranges[0].removeprefix("bytes=").rstrip("-")) > TOTAL // 8


def test_a_killed_server_leaves_no_download_behind_and_the_next_one_resumes(
    house: RunningServer, hub: Hub, watcher: Listener
) -> None:
    hub.pace = 0.3
    watcher.client.pull("test", ["mit"])
    watcher.model("test", lambda info: info.bytes_here > TOTAL // 4)
    (download,) = downloads_of(house)
    house.kill()
    assert psutil.wait_procs([download], timeout=LONG) == ([download], [])
    hub.pace = 0.0
    hub.ranges.clear()
    house.start()
    with Listener(house.runtime.address, TOKEN) as later:
        assert later.model("test", lambda info: info.state == "missing").licences == []
        later.client.pull("test")
        later.model("test", lambda info: info.state == "ready")
    assert int(hub.ranges[0].removeprefix("bytes=").rstrip("-")) > 0


def test_a_download_that_fails_says_why_and_can_be_tried_again(
    house: RunningServer, hub: Hub, watcher: Listener
) -> None:
    hub.gated.add("someone/weights")
    watcher.client.pull("test", ["mit"])
    failed = watcher.model("test", lambda info: info.state == "failed")
    assert "accepted its terms" in failed.reason
    hub.gated.clear()
    watcher.client.pull("test")
    watcher.model("test", lambda info: info.state == "ready")


def test_many_who_ask_at_once_get_one_download(
    house: RunningServer, hub: Hub, watcher: Listener
) -> None:
    hub.pace = 0.3
    others = [Listener(house.runtime.address, TOKEN) for _ in range(3)]
    for other in others:
        with other:
            other.model("test", lambda info: True)
            other.client.pull("test", ["mit"])
            other.model("test", lambda info: info.state == "downloading")
    assert len(downloads_of(house)) == 1
    hub.pace = 0.0
    watcher.model("test", lambda info: info.state == "ready")
    assert hub.sent == TOTAL


def test_scripts_fetch_watch_and_remove_a_model(house: RunningServer, watcher: Listener) -> None:
    status, body = ask(house, "POST", "/v1/models/test/pull", {"accepted": []})
    assert status == 409 and json.loads(body)["code"] == "licence_needed"
    assert "mit" in json.loads(body)["message"]
    status, body = ask(house, "POST", "/v1/models/test/pull", {"accepted": ["mit"]})
    assert status == 202 and json.loads(body)["state"] == "downloading"
    watcher.model("test", lambda info: info.state == "ready")
    assert json.loads(ask(house, "GET", "/v1/models/test")[1])["state"] == "ready"
    assert ask(house, "DELETE", "/v1/models/test")[0] == 202
    watcher.model("test", lambda info: info.state == "missing")
    order = {"recipe": {"mode": "text", "prompt": "x", "model": "test"}}
    status, body = ask(house, "POST", "/v1/jobs", order)
    assert json.loads(body)["code"] == "model_missing"


@pytest.mark.parametrize(
    "name", ["someone%2Fweights", "..%2F..%2Fetc%2Fpasswd", "sd15", "--help", "%00", "x" * 5000]
)
def test_only_announced_models_can_be_asked_for(house: RunningServer, hub: Hub, name: str) -> None:
    with Listener(house.runtime.address, TOKEN) as listener:
        listener.model("test", lambda info: True)
        for verb in ("pull", "pause"):
            status, _ = ask(house, "POST", f"/v1/models/{name}/{verb}", {})
            assert status in (400, 404)
        assert ask(house, "DELETE", f"/v1/models/{name}")[0] in (400, 404)
    assert downloads_of(house) == [] and hub.sent == 0 and ENTRY.id == "test"
