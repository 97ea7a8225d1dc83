"""The way of one click, as CONTRIBUTING.md lists it: short, and each file passes on to the next."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTION = TEXT.split("## The way of one click")[1].split("\n## ")[0]
STATIONS = re.findall(r"^\d+\. `([^`:]+)(?:: (\w+))?`", SECTION, re.MULTILINE)
BRIDGE, SERVER = ROOT / "shared/acetate_bridge", ROOT / "server/acetate"
PLUGINS = (ROOT / "gimp_plugin/acetate_gimp", ROOT / "krita_plugin/acetate_krita")
PROCESSES = {
    "editor": ("panel/", "client/", "editing/", "adapter/"),
    "server": ("app/", "jobs/", "workers/supervisor.py"),
    "worker": ("workers/", "modes/", "pipelines/"),
}

CALLS = [
    ("panel/asking.py", "_send", "_link.submit"),
    ("client/client.py", "submit", "_link.say"),
    ("app/websocket.py", "_submit", "_manager.submit"),
    ("jobs/manager.py", "submit", "_intake.take"),
    ("jobs/intake.py", "_write", "_taken"),
    ("jobs/manager.py", "_take_up", "_runner.add"),
    ("jobs/queue_runner.py", "_paint", "engine.paint"),
    ("workers/process.py", "serve", "last_message"),
    ("workers/job_runner.py", "run_job", "painter.paint"),
    ("workers/generator.py", "_painted", "run"),
    ("modes/run.py", "run_each", "paint"),
    ("modes/text.py", "paint", "pipeline.denoise_prepared"),
    ("workers/job_runner.py", "run_job", "send"),
    ("jobs/queue_runner.py", "_keep", "_feed.publish"),
    ("app/websocket.py", "_hear", "_outbox.put"),
    ("client/connection.py", "_deliver", "_ears.event"),
    ("panel/controller.py", "take_layer", "_deliveries.deliver"),
    ("editing/insertion.py", "_insert", "show"),
    ("editing/results.py", "_stand", "_editor.insert"),
]
"""By file and function, what it calls on the way to the next: a call that moved has moved here."""


def where(path: str) -> list[Path]:
    """The file of a station; an adapter is there for each editor."""
    if path.startswith("adapter/"):
        return [plugin / path for plugin in PLUGINS]
    return [next(base / path for base in (BRIDGE, SERVER) if (base / path).is_file())]


def functions(path: Path) -> dict[str, list[ast.AST]]:
    found: dict[str, list[ast.AST]] = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.setdefault(node.name, []).append(node)
    return found


def process_of(path: str) -> str:
    return next(name for name, starts in PROCESSES.items() if path.startswith(starts))


def test_a_click_passes_through_few_files() -> None:
    paths = [path for path, _ in STATIONS]
    assert len(paths) == len(set(paths)) == len(re.findall(r"^\d+\. ", SECTION, re.MULTILINE))
    assert 15 < len(paths) <= 22
    counts = {name: sum(process_of(path) == name for path in paths) for name in PROCESSES}
    assert all(0 < count <= 9 for count in counts.values()), counts


@pytest.mark.parametrize(("path", "function"), STATIONS, ids=[path for path, _ in STATIONS])
def test_a_station_is_where_it_is_said_to_be(path: str, function: str) -> None:
    for file in where(path):
        assert file.is_file()
        assert not function or function in functions(file), file


@pytest.mark.parametrize(("path", "function", "callee"), CALLS)
def test_a_station_passes_on(path: str, function: str, callee: str) -> None:
    assert path in [station for station, _ in STATIONS]
    [file] = where(path)
    called = {
        ast.unparse(node.func)
        for body in functions(file)[function]
        for node in ast.walk(body)
        if isinstance(node, ast.Call)
    }
    assert any(name == callee or name.endswith(f".{callee}") for name in called), called


def test_every_station_is_part_of_the_walk() -> None:
    """No station is listed that passes nothing on, but those at the ends of socket and pipe."""
    walked = {path for path, _, _ in CALLS}
    ends = {
        "workers/supervisor.py",
        "pipelines/pipeline.py",
        "jobs/event_feed.py",
        "app/send_queue.py",
        "panel/dispatch.py",
        "adapter/editor.py",
        "adapter/insertion.py",
    }
    assert {path for path, _ in STATIONS} == walked | ends
