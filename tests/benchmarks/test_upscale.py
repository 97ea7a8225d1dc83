"""The script for the upscaler runs, small, on any machine."""

from __future__ import annotations

import pytest

from tests.benchmarks import upscale

pytestmark = pytest.mark.slow


def test_it_prints_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    upscale.main(
        ["--count", "2", "--large", "64", "--side", "24", "--repeats", "1", "--no-largest"]
    )
    said = capsys.readouterr().out
    for line in ("16 → 64, 2 drawings: ", "32 → 64, 2 drawings: ", "24 → 96: ", "24 → 48: "):
        assert line in said
    assert said.count("alpha error at the edge") == said.count("rim at the edge") == 2
