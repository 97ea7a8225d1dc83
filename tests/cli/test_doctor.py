from __future__ import annotations

import re
from pathlib import Path

import pytest

from acetate.models.catalog import entry_named
from acetate.models.devices import Card
from acetate.models.families import FAMILIES
from acetate.pipelines.loading import load_folder, load_pipeline
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge.protocol.frame_planning import FrameLimits
from tests.cli.conftest import Acetate
from tests.support.tiny_flux import write_tiny_flux

LINE = re.compile(r"(\w+) +need about ([\d.]+) GB, peak ([\d.]+) GB")

FIGURES = re.compile(r"([\d.]+) × the time, off by ([\d.]+) of 255 .*: (\d+) of (\d+) runs")


def test_need_and_peak_of_each_mode_are_printed(
    acetate: Acetate, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = load_pipeline("embedded", "cpu")
    pipeline.native = 256
    pipeline.limits = FrameLimits(64, 64, 256, 256 * 256)
    asked: list[tuple[str, ...]] = []

    def load(*words: str) -> Pipeline:
        asked.append(words)
        return pipeline

    monkeypatch.setattr("acetate.pipelines.loading.load_pipeline", load)
    outcome = acetate("doctor", "--model", "embedded", "--device", "cpu")
    assert outcome.code == 0, outcome.err
    assert asked == [("embedded", "cpu")]
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


def test_step_caches_are_measured_where_a_model_has_some(
    acetate: Acetate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for asked in (("--caches",), ("--caches", "--model", "embedded")):
        outcome = acetate("doctor", *asked)
        assert outcome.code == 2 and "Name a model that has some" in outcome.err
    pipeline = load_folder(write_tiny_flux(tmp_path / "flux", pickled=False), "cpu")
    pipeline.native = 64
    pipeline.limits = FrameLimits(32, 32, 256, 256 * 256)
    monkeypatch.setattr("acetate.pipelines.loading.load_pipeline", lambda *_: pipeline)
    outcome = acetate("doctor", "--caches", "--model", "flux", "--device", "cpu")
    assert outcome.code == 0, outcome.err
    first, *others = outcome.out.splitlines()
    assert first.split(maxsplit=1)[1] == "text, 28 steps, at 64 pixels"
    assert [line.split()[0] for line in others] == list(FAMILIES["flux"].step_caches)
    found = [FIGURES.search(line) for line in others]
    assert all(each is not None and int(each[4]) == 28 for each in found)
    # What it draws on is the same for every model; others may skip nothing of untrained ones.
    assert found[-1] is not None and 0 < int(found[-1][3]) < 28
