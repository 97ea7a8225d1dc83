"""No task ends unheard: the one place that starts tasks is used everywhere."""

from __future__ import annotations

import ast
import asyncio
import logging
from pathlib import Path

import pytest

import acetate
from acetate.background_tasks import start_call, start_task

ROOT = Path(acetate.__file__).parent
STARTERS = {"create_task", "ensure_future", "run_in_executor"}
AWAITED = {"async_store.py", "ray_engine.py"}
"""Whose tasks are awaited, or heard when they fail, where they are started."""


def test_tasks_are_started_in_one_place() -> None:
    found: list[str] = []
    for path in ROOT.rglob("*.py"):
        if path.name == "background_tasks.py" or path.name in AWAITED:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Attribute) and called.attr in STARTERS:
                found.append(f"{path.name}:{called.lineno}")
    assert found == []


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
