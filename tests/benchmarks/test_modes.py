"""The script for graphics cards runs: small on any machine, and at full size without memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from torch.utils.flop_counter import FlopCounterMode

from acetate.pipelines.loading import load_pipeline
from acetate.pipelines.tiny_decoder import TinyDecoder
from acetate_bridge.protocol.frame_planning import FrameLimits
from tests.benchmarks import modes
from tests.benchmarks.full_size import full_pipeline

META = torch.device("meta")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.matrix,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


@pytest.mark.exhaustive
def test_every_mode_is_timed_beside_diffusers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_small(model: str, device: str) -> Any:
        pipeline = load_pipeline(model, device)
        pipeline.native = 128
        pipeline.limits = FrameLimits(64, 64, 128, 128**2)
        return pipeline

    # What is looked at are the lines, which are the same at any size.
    monkeypatch.setattr(modes, "SMALL_SIDE", 64)
    monkeypatch.setattr(modes, "load_pipeline", load_small)
    modes.main(["--small", "--device", "cpu", "--steps", "1", "--repeats", "1"])
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


@pytest.mark.parametrize(("family", "side", "words"), [("sd15", 64, 768), ("sdxl", 128, 2048)])
def test_a_preview_by_a_tiny_autoencoder_takes_less_than_three_hundredths_of_a_step(
    family: str, side: int, words: int
) -> None:
    """Counted in operations, at full size and with guidance, on the device without memory."""
    with META:
        tiny = TinyDecoder(AutoencoderTiny(), META)
        latent = torch.zeros(1, 4, side, side)
        told = torch.zeros(2, 77, words, dtype=torch.bfloat16)
        added = {
            "text_embeds": torch.zeros(2, 1280, dtype=torch.bfloat16),
            "time_ids": torch.zeros(2, 6, dtype=torch.bfloat16),
        }
        both = latent.expand(2, -1, -1, -1).bfloat16()
    unet = full_pipeline(family, META, torch.bfloat16).denoiser
    beside: dict[str, Any] = {"added_cond_kwargs": added} if family == "sdxl" else {}
    step = operations(lambda: unet(both, torch.zeros(1, device=META), told, **beside))
    assert 0 < operations(lambda: tiny.see(latent, latent[:, :1])) < 0.03 * step


def operations(work: Callable[[], object]) -> int:
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()
