"""Every mode of the official families on every rung that a processor has, down to the last."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from acetate.models.families import FAMILIES
from acetate.modes import run
from acetate.pipelines.loading import load_folder
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge.protocol.types import Image
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.modes.test_families import request
from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl

FAMILY_MODES = [(family, mode) for family in ("sd15", "sdxl") for mode in FAMILIES[family].modes]
LAST = "it is painted in smaller batches"


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pipeline]:
    root = tmp_path_factory.mktemp("rungs")
    writers = {"sd15": write_tiny_sd15, "sdxl": write_tiny_sdxl}
    return {name: load_folder(write(root / name), "cpu") for name, write in writers.items()}


def visible(image: Image) -> np.ndarray:
    """Colour times alpha, and alpha: in levels of 8 bits."""
    rgba = np.frombuffer(image.data, np.uint8).reshape(-1, 4).astype(float)
    return np.concatenate([rgba[:, :3] * rgba[:, 3:] / 255, rgba[:, 3:]], axis=1)


@pytest.mark.parametrize(("family", "mode"), FAMILY_MODES)
def test_a_mode_paints_the_same_on_the_last_rung(
    pipelines: dict[str, Pipeline], monkeypatch: pytest.MonkeyPatch, family: str, mode: str
) -> None:
    pipeline = pipelines[family]
    expected = run(request(mode, 128, 128), pipeline)
    before = snapshot(pipeline.denoiser)
    forward = pipeline.denoiser.forward
    failures = [torch.OutOfMemoryError("Tried to allocate 1.00 GiB.")] * 3

    def failing(*given: Any, **named: Any) -> Any:
        if failures:
            raise failures.pop()
        return forward(*given, **named)

    told: list[str] = []
    monkeypatch.setattr(pipeline.ladder, "on_relief", told.append)
    monkeypatch.setattr(pipeline.denoiser, "forward", failing)
    layers = run(request(mode, 128, 128), pipeline)
    monkeypatch.undo()
    assert LAST in told[-1] and not failures
    assert [layer.role for layer in layers] == [layer.role for layer in expected]
    for layer, usual in zip(layers, expected, strict=True):
        # A picture that is decoded in tiles differs a little, which random networks enlarge.
        assert np.abs(visible(layer.image) - visible(usual.image)).mean() < 4
    assert_untouched(pipeline.denoiser, before)
