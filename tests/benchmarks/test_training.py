"""The script that measures a training runs on any machine, and says where it has no figures."""

from __future__ import annotations

import re

import pytest

from tests.benchmarks import training

pytestmark = pytest.mark.matrix


@pytest.mark.slow
@pytest.mark.parametrize("family", list(training.TINY))
def test_both_stages_are_timed(family: str, capsys: pytest.CaptureFixture[str]) -> None:
    training.main(
        [
            "--small",
            "--family",
            family,
            "--seconds",
            "0",
            "--batch",
            "1",
            "--gradient-checkpointing",
        ]
    )
    said = capsys.readouterr().out
    for stage in ("transparency", "layers"):
        line = rf"^{family}, {stage} at 64², batch 1: (\d+\.\d\d) samples/s, peak (\d+) MB$"
        found = re.search(line, said, re.MULTILINE)
        assert found and int(found[2]) > 0


def test_without_a_graphics_card_it_says_that_the_figures_are_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.torch.cuda, "is_available", lambda: False)
    training.main([])
    assert "no figures" in capsys.readouterr().out
