"""The contract, fulfilled by the editor in memory; the real ones run it inside themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acetate_bridge.editing.editor import Insertion
from tests.editors import contract_law, contract_runner
from tests.editors.memory_host import MemoryHost

CASES = list(contract_runner.cases(MemoryHost()))


@pytest.mark.parametrize(("name", "check", "rest"), [(n, c, a[1:]) for n, c, a in CASES])
def test_the_editor_in_memory_fulfils(
    name: str, check: Callable[..., None], rest: tuple[Any, ...]
) -> None:
    check(MemoryHost(), *rest)


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


@pytest.mark.parametrize("deed", ["activates", "unlocks", "drops a mask", "sorts"])
def test_the_law_sees_what_was_done_to_the_painters_work(deed: str) -> None:
    host = MemoryHost()
    insert = host.editor.insert

    def careless(document: str, insertion: Insertion) -> list[str]:
        keys = insert(document, insertion)
        sheet = host.editor.sheet(document)
        own = next(node for node in sheet.nodes if node.recipe is None)
        if deed == "activates":
            sheet.active = keys[0]
        elif deed == "unlocks":
            own.locked = not own.locked
        elif deed == "drops a mask":
            own.mask = None
        else:
            sheet.nodes.reverse()
        return keys

    host.editor.insert = careless  # type: ignore[method-assign]
    stack = "one layer with a mask" if deed == "drops a mask" else "locked"
    with pytest.raises(AssertionError, match="after"):
        contract_law.tell(host, stack, "results")
