"""The contract, fulfilled inside the real Krita, in every kind of document that it has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acetate import __version__
from acetate.plugin_install.install import installed
from tests.benchmarks.krita import measure
from tests.breadth import BRIEF, draws
from tests.editors.contract_runner import Part
from tests.editors.krita.conftest import assert_quiet
from tests.editors.krita.session import SUITES, KritaSession, resources_of

pytestmark = pytest.mark.slow

ROUNDS = 4

INSIDE = """
from pathlib import Path
from tests.editors.contract_runner import Part
from tests.editors.krita import in_turns

def main():
    yield from in_turns.run(Path({report!r}), {part})
"""


_READING = """
from tests.editors.krita import reading_checks

def main():
    global answer
    answer = {}
    yield from reading_checks.run(answer)
"""

_LOADED = """
from krita import Krita
here, window = Krita.instance(), Krita.instance().activeWindow()
assert "acetate_docker" in [each.objectName() for each in window.dockers()]
answer = [here.action(f"acetate_{mode}").text() for mode in ("text", "background", "regenerate")]
"""


def test_the_zip_is_taken_by_kritas_own_importer_and_loaded(krita: KritaSession) -> None:
    resources = resources_of(krita.home)
    found = installed("krita", resources / "pykrita")
    assert found is not None and found.version == __version__
    assert (resources / "actions" / "acetate_krita.action").is_file()
    words = [each.replace("&", "") for each in krita.run(_LOADED)]
    assert words == ["Generate Layer", "Fill Background Around Layer", "Paint Layer Anew"]


def test_what_a_layer_costs_is_measured_beside_the_bare_calls(krita: KritaSession) -> None:
    """Measured, not judged: other programs take their time, too (see tests.benchmarks.krita)."""
    figures = measure(krita, 1024, "U8", ROUNDS)
    for kept in (figures.calls, figures.stalls):
        assert {name: len(found) for name, found in kept.items()} == dict(bare=ROUNDS, ours=ROUNDS)
        assert min(map(min, kept.values())) > 0
    print(f"1024²: {figures}")


def test_a_layer_is_read_as_it_is_shown(krita: KritaSession) -> None:
    found = krita.run(_READING)
    assert len(found) == 4
    broken = {name: trace for name, trace in found.items() if trace}
    assert not broken, "\n".join(f"{name}\n{trace}" for name, trace in broken.items())


def test_krita_fulfils_the_contract(krita: KritaSession, folder: Path) -> None:
    report = folder / "report.json"
    # The two versions share the stories; one alone tells every sixth in a brief run.
    part = Part(6, 0, 6) if BRIEF else Part(1, SUITES.index(krita.suite), 2)
    krita.run(INSIDE.format(report=str(report), part=part), 900)
    found = json.loads(report.read_text(encoding="utf-8"))
    failed = {name: trace for name, trace in found.items() if trace}
    assert len(found) > draws(100, 50)
    assert not failed, "\n".join(f"{name}\n{trace}" for name, trace in failed.items())
    assert krita.quit() == 0
    assert_quiet(krita)
