from __future__ import annotations

import re
from pathlib import Path

import pytest

from acetate.models.catalog import entry_named
from acetate.models.devices import Card
from tests.cli.conftest import Acetate

LINE = re.compile(r"(\w+) +need about ([\d.]+) GB, peak ([\d.]+) GB")


def test_need_and_peak_of_each_mode_are_printed(acetate: Acetate) -> None:
    outcome = acetate("doctor", "--model", "embedded", "--device", "cpu")
    assert outcome.code == 0, outcome.err
    lines = [match for line in outcome.out.splitlines() if (match := LINE.fullmatch(line))]
    assert [match[1] for match in lines] == list(entry_named("embedded").modes)
    assert all(0 < float(match[2]) < 2 and float(match[3]) < 2 for match in lines)
    assert re.search(r"Weights +0\.0\d GB", outcome.out)


def test_a_step_is_measured_and_what_fits_the_card_is_said(
    acetate: Acetate, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = Card("cpu", "A card of 8 GB", 8 * 10**9, 75 * 10**8)
    monkeypatch.setattr("acetate.models.devices.card_of", lambda device: card)
    outcome = acetate("doctor", "--device", "cpu")
    assert outcome.code == 0, outcome.err
    assert re.search(r"Device +cpu: A card of 8 GB, 7\.5 GiB, 7\.0 GiB free", outcome.out)
    assert re.search(r"One step +\d+\.\d{3} s on cpu, at 512 × 512 pixels", outcome.out)
    assert re.search(r"sdxl .* fits as 16 bit, in turns", outcome.out)
    assert re.search(r"qwen-layered .* fits as 4 bit, by blocks", outcome.out)


def test_what_is_missing_is_named(
    acetate: Acetate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    outcome = acetate("doctor", "--model", "sd15")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1 and "layer_sd15_joint.safetensors" in outcome.err
