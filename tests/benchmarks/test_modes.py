"""The script for graphics cards runs: small on any machine, and at full size without memory."""

from __future__ import annotations

import pytest
import torch

from tests.benchmarks import modes
from tests.benchmarks.full_size import full_pipeline

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


def test_every_mode_is_timed_beside_diffusers(capsys: pytest.CaptureFixture[str]) -> None:
    modes.main(["--small", "--device", "cpu", "--steps", "2", "--repeats", "1"])
    said = capsys.readouterr().out
    counts = {"sdxl": 9, "sd15": 9, "flux": 5, "flux2": 2, "qwen21": 8}
    for family, expected in counts.items():
        lines = [line for line in said.splitlines() if line.startswith(f"{family} ")]
        assert len(lines) == expected
        assert sum("× diffusers'" in line for line in lines) == expected - 1
        assert sum(" preview " in line for line in lines) == expected - 1
    embedded = [line for line in said.splitlines() if line.startswith("embedded ")]
    assert len(embedded) == 8 and not any("diffusers" in line for line in embedded)


def test_without_a_graphics_card_it_says_that_the_figures_are_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    modes.main(["--device", "cpu"])
    assert "no figures" in capsys.readouterr().out


def test_a_graphics_card_that_is_not_here_is_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    modes.main(["--small", "--device", "cuda"])
    assert "no graphics card" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("family", "millions", "tasks"),
    [
        ("sdxl", 2567, ("text", "fg2ble", "bgble2fg")),
        ("sd15", 860, ("text", "joint", "fg2bg", "bg2fg", "harmonize")),
    ],
)
def test_the_full_size_models_take_their_patches(
    family: str, millions: int, tasks: tuple[str, ...]
) -> None:
    pipeline = full_pipeline(family, torch.device("meta"), torch.bfloat16)
    size = sum(parameter.numel() for parameter in pipeline.denoiser.parameters())
    assert round(size / 1e6) == millions
    for task in tasks:
        patch = pipeline.patch_for(task)
        patch.inject(pipeline.denoiser)
        patch.eject()
        assert sum(each.numel() for each in pipeline.denoiser.parameters()) == size
