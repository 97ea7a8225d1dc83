"""Checks that run inside the real GIMP: the contract with Ctrl+Z by hand, and the widgets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.breadth import BRIEF, draws
from tests.editors.contract_runner import Part
from tests.editors.gimp.conftest import assert_quiet
from tests.editors.gimp.session import Gimp
from tests.editors.screen import Screen

pytestmark = pytest.mark.slow

_CONTRACT = """
from tests.editors.contract_runner import Part, run
from tests.editors.gimp.host import GimpHost
answer = run(GimpHost(ask, {half}), {report!r}, {part})
"""
_WIDGETS = """
from tests.editors.gimp import widget_checks
answer = widget_checks.run(ask, {theme!r})
"""
_KEEPING = """
from tests.editors.gimp import keeping_checks
answer = keeping_checks.run(ask)
"""
_HALF = {"trixie": 1, "forky": 0}
"""Which half of the zoo each version has: links and shapes are for GIMP 3.2 alone."""
_THEME = {"trixie": "light", "forky": "dark"}
"""The panel's story is told in the other one."""


@pytest.fixture(scope="module")
def gimp(suite: str, folder: Path, screen: Screen) -> Iterator[Gimp]:
    """GIMP with a window, and nothing of ours running in it."""
    found = Gimp(suite, folder / f"inside-{suite}", screen, theme=_THEME[suite])
    try:
        yield found
    finally:
        found.close()
    assert_quiet(found)


def test_gimp_fulfils_the_contract(gimp: Gimp, folder: Path) -> None:
    report = folder / f"contract-{gimp.suite}.json"
    part = Part(3, 0, 3) if BRIEF else Part()
    words = _CONTRACT.format(report=str(report), half=_HALF[gimp.suite], part=part)
    held = gimp.run(words)
    found = json.loads(report.read_text())
    failed = {name: trace for name, trace in found["checks"].items() if trace}
    assert held and found["finished"] and not failed, _listed(failed)
    assert len(found["checks"]) > draws(60, 40)
    assert found["editor"].startswith(f"GIMP {gimp.version}")


def test_a_result_keeps_what_the_painter_did_to_it(gimp: Gimp) -> None:
    outcome = gimp.run(_KEEPING)
    broken = {name: trace for name, trace in outcome.items() if trace}
    assert not broken, _listed(broken)
    assert len(outcome) > 3


def test_the_widgets_show_what_they_are_told_in_the_theme_of_gimp(gimp: Gimp) -> None:
    outcome = gimp.run(_WIDGETS.format(theme=_THEME[gimp.suite]))
    failed = {name: trace for name, trace in outcome.items() if trace}
    assert not failed, _listed(failed)
    assert len(outcome) > 8


def _listed(failed: dict[str, str]) -> str:
    return "\n\n".join(f"{name}\n{trace}" for name, trace in failed.items())
