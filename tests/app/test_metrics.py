"""What a server tells Prometheus and its log of the jobs: figures and ids, and no prompt."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from acetate_bridge import Cancelled, Done, Failed
from tests.app.listening import Listener
from tests.app.server_process import ROOT, TOKEN, RunningServer
from tests.app.test_http import ask

BOARD = ROOT / "docs" / "grafana" / "acetate.json"
WORDS = "an unmistakable marzipan lighthouse"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("watched"), log_format="json") as server:
        yield server


def figures(server: RunningServer) -> dict[tuple[str, ...], float]:
    """Samples by their name and the values of their labels, the state first."""
    code, body = ask(server, "GET", "/metrics")
    assert code == 200
    samples = [
        sample
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    ]

    def labels(sample: Sample) -> list[str]:
        return [value for _, value in sorted(sample.labels.items(), reverse=True)]

    return {(sample.name, *labels(sample)): sample.value for sample in samples}


def test_jobs_are_counted_by_ending_and_mode(watched: RunningServer) -> None:
    before = figures(watched)
    with Listener(watched.runtime.address, TOKEN) as listener:
        assert isinstance(listener.ending(listener.submit(WORDS)), Done)
        assert isinstance(listener.ending(listener.submit(f"break {WORDS}")), Failed)
        long = listener.submit(f"step=0.5 {WORDS}", steps=150)
        listener.wait(lambda event: getattr(event, "step", 0) >= 1 and event.job == long)
        while_running = figures(watched)
        waiting = listener.submit(WORDS)
        listener.client.cancel(long)
        assert isinstance(listener.ending(long), Cancelled)
        assert isinstance(listener.ending(waiting), Done)
    after = figures(watched)

    def grown(*name: str) -> float:
        return after[name] - before.get(name, 0)

    assert while_running["acetate_jobs", "running", "text"] == 1
    assert while_running["acetate_worker_busy", "cpu"] == 1
    assert 0 <= while_running["acetate_worker_heartbeat_age_seconds", "cpu"] < 60
    assert ("acetate_jobs", "running", "text") not in after
    assert grown("acetate_jobs_ended_total", "done", "text") == 2
    assert grown("acetate_jobs_ended_total", "failed", "text") == 1
    assert grown("acetate_jobs_ended_total", "cancelled", "text") == 1
    assert grown("acetate_job_waiting_seconds_count", "text") == 4
    assert grown("acetate_job_painting_seconds_count", "text") == 4
    assert grown("acetate_painted_bytes_total") == 2 * 16 * 16 * 4
    assert after["acetate_stored_bytes",] < after["acetate_quota_bytes",]
    assert after["acetate_memory_bytes",] > 10 * 2**20
    assert after["acetate_worker_memory_bytes", "cpu"] > 10 * 2**20


def test_a_worker_that_dies_is_counted(watched: RunningServer) -> None:
    before = figures(watched)
    with Listener(watched.runtime.address, TOKEN) as listener:
        assert isinstance(listener.ending(listener.submit("die")), Failed)
    after = figures(watched)
    for name, times in (
        (("acetate_worker_restarts_total", "cpu"), 2),
        (("acetate_jobs_tried_again_total",), 1),
    ):
        assert after[name] - before[name] == times


def test_strangers_see_no_figures(watched: RunningServer) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://{watched.runtime.address}/metrics")
    with refused.value:
        assert refused.value.code == 401 and b"acetate_" not in refused.value.read()


def test_every_line_of_the_log_is_json_and_names_the_job_but_not_the_prompt(
    watched: RunningServer,
) -> None:
    with Listener(watched.runtime.address, TOKEN) as listener:
        good = listener.submit(WORDS)
        listener.ending(good)
        bad = listener.submit(f"quote {WORDS}")
        assert isinstance(listener.ending(bad), Failed)
    text = watched.log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    of_good = [line["message"] for line in lines if line.get("job") == good]
    assert [f"job {good} waits", f"job {good} is painted by cpu", f"job {good} is done"] == [
        message.partition(",")[0] for message in of_good
    ]
    (broken,) = [line for line in lines if line.get("job") == bad and "trace" in line]
    assert "fake_painter.py" in broken["trace"] and "RuntimeError" in broken["trace"]
    assert "marzipan" not in text and "marzipan" not in ask(watched, "GET", "/metrics")[1].decode()


def test_a_worker_process_that_prints_for_people_quotes_no_prompt_either(
    server: RunningServer,
) -> None:
    with Listener(server.runtime.address, TOKEN) as listener:
        bad = listener.submit(f"quote {WORDS}")
        assert isinstance(listener.ending(bad), Failed)
    text = server.log.read_text()
    assert f"job {bad} broke" in text and "marzipan" not in text


def names_in(board: object) -> set[str]:
    """Names of figures that the expressions of a board ask for."""
    return set(re.findall(r"\bacetate_\w+", json.dumps(board)))


def test_the_board_asks_for_figures_that_there_are(watched: RunningServer) -> None:
    with Listener(watched.runtime.address, TOKEN) as listener:
        listener.ending(listener.submit(WORDS))
    board = json.loads(BOARD.read_text(encoding="utf-8"))
    told = {name for name, *_ in figures(watched)} | {"acetate_jobs"}
    asked = names_in(board["panels"])
    assert asked and asked <= told
    assert {"acetate_worker_heartbeat_age_seconds", "acetate_worker_restarts_total"} <= asked
    assert all(panel["title"] and panel["targets"] for panel in board["panels"])


def test_without_the_library_the_cure_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio
    import sys
    from typing import cast

    from aiohttp import web

    from acetate.app.metrics import show_metrics

    monkeypatch.setitem(sys.modules, "acetate.app.metrics_text", None)
    refused = asyncio.run(show_metrics(cast(web.Request, None)))
    assert refused.status == 503 and b"acetate[metrics]" in cast(bytes, refused.body)


def test_the_log_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="--log-format is text or json, not “yaml”"):
        RunningServer(tmp_path, real=["serve", "--log-format", "yaml"]).start()
