"""The contract, fulfilled by the editor in memory; the real ones run it inside themselves."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.editors import contract_runner
from tests.editors.memory_host import MemoryHost

CASES = list(contract_runner.cases(MemoryHost()))


@pytest.mark.parametrize(("name", "check"), [(name, check) for name, check, _ in CASES])
def test_the_editor_in_memory_fulfils(name: str, check: Callable[..., None]) -> None:
    host = MemoryHost()
    arguments: tuple[Any, ...] = (host,)
    if "kind" in inspect.signature(check).parameters:
        arguments += tuple(kind for kind in host.kinds if name.endswith(f"[{kind.name}]"))
    check(*arguments)


def test_the_runner_reports_every_check(tmp_path: Path) -> None:
    assert contract_runner.run(MemoryHost(), tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["finished"] and list(report["checks"]) == [name for name, _, _ in CASES]


def test_the_runner_reports_a_check_that_fails(tmp_path: Path) -> None:
    host = MemoryHost()
    host.editor.keep_note = lambda document, data: None  # type: ignore[method-assign]
    assert not contract_runner.run(host, tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    failed = [name for name, trace in report["checks"].items() if trace]
    assert "check_a_note_is_kept_outside_the_undo_history" in failed
    assert "check_the_active_layer_stays_until_the_painter_chooses_another" not in failed
