"""No task ends unheard: the one place that starts tasks is used everywhere."""

from __future__ import annotations

import ast
import asyncio
import logging
from pathlib import Path

import pytest

import acetate
import acetate_bridge
from acetate.background_tasks import start_call, start_task

ROOT = Path(acetate.__file__).parent
BRIDGE = Path(acetate_bridge.__file__).parent
STARTERS = {"create_task", "ensure_future", "run_in_executor"}
AWAITED = {"async_store.py", "rack_engine.py", "ray_engine.py", "supervisor.py"}
"""Whose tasks are awaited, or heard when they fail, where they are started."""

TASKS = {
    "app/connections.py: greeting": "ends the one connection that it is about",
    "app/connections.py: reception": "goes on after a connection that cannot be served",
    "app/layer_encoding.py: pack …": "whoever reads the layer awaits it",
    "app/server.py: the log": "what goes wrong is left for the next minute",
    "app/websocket.py: a session's writer": "its end ends the session",
    "app/websocket.py: turning a session away": "the session ends all the same",
    "app/websocket.py: …": "answers with a problem",
    "jobs/async_store.py: hashing": "whoever uploads awaits it",
    "jobs/downloads.py: …": "the model is said to have failed",
    "jobs/intake.py: intake": "whoever has submitted a job awaits it and is told",
    "jobs/manager.py: expiry": "tries again an hour later",
    "jobs/manager.py: look": "whoever asks for the models awaits it",
    "jobs/queue_runner.py: …": "the job fails with a reason",
    "jobs/unwritten_endings.py: unwritten endings": "tries again two seconds later",
    "workers/rack_engine.py: look …": "asks again a while later",
    "workers/supervisor.py: wait": "whoever has a job to paint awaits it",
    "workers/supervisor.py: watch …": "starts the next worker after a while",
}
"""Every task of the server by its name, and what becomes of it when something goes wrong."""
THREADS = {
    "cli/memory_report.py: watch": "only measures",
    "workers/process.py: _listen": "ends the worker",
    "workers/process.py: _beat": "ends the worker",
    "workers/download_process.py: _wait_for_end": "the process ends with its work",
    "workers/supervisor.py: _write": "ends the worker",
    "workers/supervisor.py: _read": "ends the worker, and says so",
    "workers/ray_actor.py: work": "its outcome is what the actor answers",
    "client/client.py: ask": "whoever asks is told",
    "client/client.py: update": "whoever asks is told",
    "client/client.py: _run": "tells the state of the connection",
    "client/connection.py: wait": "waits for a process",
}
"""Every thread of server and client by its target, and the same of it."""


def calls(root: Path) -> list[tuple[Path, ast.Call, str]]:
    """Every call in a package with the name of what is called."""
    found: list[tuple[Path, ast.Call, str]] = []
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = node.func
                name = called.attr if isinstance(called, ast.Attribute) else ""
                found.append((path, node, called.id if isinstance(called, ast.Name) else name))
    return found


def task_name(node: ast.expr) -> str:
    """As it stands in the code; what is only known at run time is a dot dot dot."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        first = node.values[0]
        return f"{first.value if isinstance(first, ast.Constant) else ''}…"
    return "…"


def test_tasks_are_started_in_one_place() -> None:
    found = [
        f"{path.name}:{node.lineno}"
        for path, node, name in calls(ROOT)
        if name in STARTERS
        if path.name not in AWAITED | {"background_tasks.py"}
    ]
    assert found == []


def test_nobody_waits_in_a_way_that_loses_a_cancellation() -> None:
    """Before Python 3.12 `wait_for` forgets that it was cancelled when what it waits for comes."""
    found = {
        path.name for root in (ROOT, BRIDGE) for path, _, name in calls(root) if name == "wait_for"
    }
    assert found == set()


def test_what_becomes_of_every_task_is_known() -> None:
    found = {
        f"{path.relative_to(ROOT).as_posix()}: {task_name(node.args[1])}"
        for path, node, name in calls(ROOT)
        if name == "start_task"
    }
    assert found == set(TASKS)


def test_what_becomes_of_every_thread_is_known() -> None:
    found: set[str] = set()
    for root in (ROOT, BRIDGE):
        for path, node, name in calls(root):
            targets = [word.value for word in node.keywords if word.arg == "target"]
            if name == "Thread" and "training" not in path.parts:
                target = targets[0]
                word = target.attr if isinstance(target, ast.Attribute) else ""
                word = target.id if isinstance(target, ast.Name) else word
                found.add(f"{path.relative_to(root).as_posix()}: {word}")
    assert found == set(THREADS)


async def test_a_task_that_fails_is_heard(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise ValueError("a fault")

    def breaks() -> None:
        raise OSError("a broken call")

    with caplog.at_level(logging.ERROR, "acetate"):
        await asyncio.wait([start_task(fails(), "a task"), start_call(breaks)])
        await asyncio.sleep(0)
    said = [record.getMessage() for record in caplog.records]
    assert any("a task" in line for line in said) and len(said) == 2
