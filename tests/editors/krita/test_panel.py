"""The docker in Qt 5 (Krita 5) and Qt 6 (Krita 6), without Krita and without a screen."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
CHECKS = Path(__file__).with_name("panel_checks.py")
NAMES = [
    each.name
    for name in (
        "completion_checks.py",
        "guide_checks.py",
        "overlay_checks.py",
        "prompt_checks.py",
        "setup_checks.py",
        "undo_checks.py",
        "view_checks.py",
        "window_checks.py",
        "panel_checks.py",
    )
    for each in ast.parse(CHECKS.with_name(name).read_text(encoding="utf-8")).body
    if isinstance(each, ast.FunctionDef) and each.name.startswith("check_")
]


@pytest.fixture(scope="module", params=["PyQt5", "PyQt6"])
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What came of all checks in a process with this binding."""
    report = tmp_path_factory.mktemp(request.param) / "report.json"
    done = subprocess.run(
        [sys.executable, "-m", "tests.editors.krita.panel_checks", request.param, str(report)],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    found = json.loads(report.read_text(encoding="utf-8"))
    assert found.pop("Qt").startswith(request.param[-1])
    assert list(found) == NAMES
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_panel_holds(outcome: dict[str, str], name: str) -> None:
    assert not outcome[name], outcome[name]
