"""The contract, fulfilled inside the real Krita, in every kind of document that it has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.editors.krita.conftest import assert_quiet
from tests.editors.krita.session import KritaSession

INSIDE = """
from pathlib import Path
from tests.editors.krita import in_turns

def main():
    yield from in_turns.run(Path({report!r}))
"""


@pytest.mark.slow
def test_krita_fulfils_the_contract(krita: KritaSession, folder: Path) -> None:
    report = folder / "report.json"
    krita.run(INSIDE.format(report=str(report)))
    found = json.loads(report.read_text(encoding="utf-8"))
    failed = {name: trace for name, trace in found.items() if trace}
    assert len(found) > 100
    assert not failed, "\n".join(f"{name}\n{trace}" for name, trace in failed.items())
    assert krita.quit() == 0
    assert_quiet(krita)
