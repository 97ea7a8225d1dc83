"""The contract of `tests/editors/contract.py`, inside the real GIMP, with Ctrl+Z by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.editors.gimp.session import Gimp
from tests.editors.screen import Screen

pytestmark = pytest.mark.slow

_RUN = """
from tests.editors.contract_runner import run
from tests.editors.gimp.host import GimpHost
answer = run(GimpHost(ask), {report!r})
"""


def test_gimp_fulfils_the_contract(suite: str, folder: Path, screen: Screen) -> None:
    gimp = Gimp(suite, folder / f"contract-{suite}", screen)
    report = folder / f"contract-{suite}.json"
    try:
        held = gimp.run(_RUN.format(report=str(report)))
    finally:
        gimp.close()
    found = json.loads(report.read_text())
    failed = {name: trace for name, trace in found["checks"].items() if trace}
    assert held and found["finished"] and not failed, "\n\n".join(
        f"{name}\n{trace}" for name, trace in failed.items()
    )
    assert len(found["checks"]) > 60 and found["editor"].startswith(f"GIMP {gimp.version}")
