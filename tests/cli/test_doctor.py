from __future__ import annotations

import re
from pathlib import Path

import pytest

from acetate.models.catalog import entry_named
from tests.cli.conftest import Acetate

LINE = re.compile(r"(\w+) +need about ([\d.]+) GB, peak ([\d.]+) GB")


def test_need_and_peak_of_each_mode_are_printed(acetate: Acetate) -> None:
    outcome = acetate("doctor", "--model", "embedded", "--device", "cpu")
    assert outcome.code == 0, outcome.err
    lines = [match for line in outcome.out.splitlines() if (match := LINE.fullmatch(line))]
    assert [match[1] for match in lines] == list(entry_named("embedded").modes)
    assert all(0 < float(match[2]) < 2 and float(match[3]) < 2 for match in lines)
    assert re.search(r"Weights +0\.0\d GB", outcome.out)


def test_what_is_missing_is_named(
    acetate: Acetate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    outcome = acetate("doctor", "--model", "sd15")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1 and "layer_sd15_joint.safetensors" in outcome.err
