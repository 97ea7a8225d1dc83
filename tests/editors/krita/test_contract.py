"""The contract, fulfilled inside the real Krita, in every kind of document that it has."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.editors.krita.session import KritaSession

INSIDE = """
from pathlib import Path
from tests.editors.krita import in_turns

def main():
    yield from in_turns.run(Path({report!r}))
"""


@pytest.mark.slow
def test_krita_fulfils_the_contract(
    open_krita: Callable[..., KritaSession], tmp_path: Path
) -> None:
    krita, report = open_krita(), tmp_path / "report.json"
    krita.run(INSIDE.format(report=str(report)))
    found = json.loads(report.read_text(encoding="utf-8"))
    failed = {name: trace for name, trace in found.items() if trace}
    assert len(found) > 100
    assert not failed, "\n".join(f"{name}\n{trace}" for name, trace in failed.items())
    assert krita.quit() == 0
    assert "Traceback" not in krita.said()
