"""Import and painting agree of RGBA adapters and of FLUX.2 klein, too: yes paints, no is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from acetate.model_import.importing import import_any
from acetate.models.own_register import remove_own
from acetate.modes import run
from acetate.pipelines.loading import load_pipeline
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.types import Image, Recipe, Request
from tests.breadth import draws
from tests.models.test_import_agrees import taken_over
from tests.support.adapter_shapes import draw_adapter, draw_klein
from tests.support.tiny_families import write_tiny_sd15
from tests.support.tiny_flux2 import write_tiny_flux2
from tests.support.tiny_qwen import write_tiny_qwen

pytestmark = pytest.mark.matrix

BASES: dict[str, Callable[[Path], Path]] = {
    "flux2": write_tiny_flux2,
    "sd15": write_tiny_sd15,
    "qwen": write_tiny_qwen,
}
ADAPTERS, FOLDERS = draws(24, 8), draws(16, 6)


def paints(model: str, mode: str) -> None:
    pipeline = load_pipeline(model, "cpu")
    pipeline.limits = FrameLimits(32, 32, 512, 512 * 512)
    samples = np.full((64, 64, 4), (200, 30, 30, 0), np.uint8)
    samples[16:48, 16:48, 3] = 255
    layer = Image(64, 64, samples.tobytes())
    recipe = Recipe(mode, "a cat", seed=1, width=64, height=64, steps=1, guidance=1.0, passes=1)
    (painted, *_) = run(Request(recipe, {} if mode == "text" else {"layer": layer}), pipeline)
    assert len(set(painted.image.data)) > 4


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "shelf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.mark.parametrize("family", BASES)
def test_an_adapter_that_is_taken_over_paints(tmp_path: Path, family: str) -> None:
    base = BASES[family](tmp_path / f"tiny-{family}")
    import_any(str(base))
    said = Counter[bool]()
    for seed in range(ADAPTERS):
        shape = draw_adapter(tmp_path, base, family, seed)
        own = taken_over(shape)
        said[own is not None] += 1
        if own is None:
            continue
        try:
            paints(own.name, "text")
        except Exception as error:
            raise AssertionError(f"taken over, and does not paint: {shape.words}") from error
        remove_own(own.name)
    assert min(said[True], said[False]) >= draws(6, 2)


def test_a_folder_of_klein_that_is_taken_over_paints(tmp_path: Path) -> None:
    whole = write_tiny_flux2(tmp_path / "whole")
    said = Counter[bool]()
    for seed in range(FOLDERS):
        shape = draw_klein(tmp_path, whole, seed)
        own = taken_over(shape)
        said[own is not None] += 1
        if own is None:
            continue
        try:
            paints(own.name, "background")
        except Exception as error:
            raise AssertionError(f"taken over, and does not paint: {shape.words}") from error
        remove_own(own.name)
    assert min(said[True], said[False]) >= draws(3, 1)
