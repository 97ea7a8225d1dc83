"""Every mode of every family on every rung of the ladder, down to the last and below it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from acetate.model_import.importing import import_any
from acetate.models.families import FAMILIES
from acetate.modes import mode_named, run
from acetate.pipelines.loading import load_folder, load_pipeline
from acetate.pipelines.memory_ladder import OutOfMemory
from acetate.pipelines.offloaded_pipeline import OffloadedPipeline
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.types import Image, Recipe, Request
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.support.tiny_adapters import write_adapter
from tests.support.tiny_bases import TINY_BASES
from tests.support.tiny_layered import paint_small

pytestmark = [pytest.mark.slow, pytest.mark.matrix]
CPU = torch.device("cpu")
SIDE = 64
BY_ADAPTER = ("flux2", "qwen")
"""Families that paint layers by an adapter alone."""
PIXELS = ("upscale", "defringe", "cutout")
"""Modes that run no denoiser."""
FAMILY_MODES = [
    (family, mode) for family in TINY_BASES for mode in FAMILIES[family].modes if mode not in PIXELS
]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    paint_small(monkeypatch)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Pipeline]:
    """The tiny model of a family, loaded once."""
    root = tmp_path_factory.mktemp("rungs")
    held: dict[str, Pipeline] = {}

    def load(family: str) -> Pipeline:
        if family not in held:
            folder = TINY_BASES[family](root / f"tiny-{family}")
            held[family] = (
                with_adapter(folder, family) if family in BY_ADAPTER else load_folder(folder, "cpu")
            )
            held[family].limits = FrameLimits(32, 32, 1024, 1024 * 1024)
        return held[family]

    return load


def with_adapter(folder: Path, family: str) -> Pipeline:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACETATE_MODELS_DIR", str(folder.parent / "own"))
        import_any(str(folder))
        adapter = write_adapter(folder.parent / f"clear-{family}", folder, family, family=family)
        import_any(str(adapter), base=folder.name)
        return load_pipeline(adapter.name, "cpu")


def request(family: str, mode: str) -> Request:
    recipe = Recipe(mode, "a red apple", seed=7, steps=1, passes=1, layers=2)
    guidance = 3.0 if family in ("sd15", "sdxl", "embedded") else 1.0
    strength = 0.5 if mode == "refine" else 1.0
    recipe = replace(recipe, guidance=guidance, strength=strength, width=SIDE, height=SIDE)
    wanted = [item.name for item in mode_named(mode).info.inputs if item.required]
    images = {name: picture(SIDE // 4) for name in wanted}
    if mode == "extract":
        images["background"] = picture(SIDE // 2)
    return Request(recipe, images)


def picture(at: int) -> Image:
    samples = np.zeros((SIDE, SIDE, 4), np.uint8)
    samples[at : at + SIDE // 4, at : at + SIDE // 4] = (200, 30, 30, 255)
    return Image(SIDE, SIDE, samples.tobytes())


def visible(image: Image) -> np.ndarray:
    """Colour times alpha, and alpha: in levels of 8 bits."""
    rgba = np.frombuffer(image.data, np.uint8).reshape(-1, 4).astype(float)
    return np.concatenate([rgba[:, :3] * rgba[:, 3:] / 255, rgba[:, 3:]], axis=1)


def all_at_hand(pipeline: Pipeline) -> None:
    """As after loading where there is memory enough: what was brought outside comes back."""
    offloading = getattr(pipeline, "_offloading", None)
    if isinstance(pipeline, OffloadedPipeline) and offloading is not None:
        offloading.remove(CPU)
        pipeline._offloading = None  # pyright: ignore[reportPrivateUsage]
        # What hooks leave is in the way of whoever wraps the class.
        pipeline.denoiser.__dict__.pop("forward", None)


def ready_to_fail(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[str], list[Exception]]:
    """The sentences of all rungs, and a list of what the denoiser's next runs shall raise."""
    failures: list[Exception] = []
    forward: Any = type(pipeline.denoiser).forward

    def failing(self: Any, *given: Any, **named: Any) -> Any:
        if failures:
            raise failures.pop()
        return forward(self, *given, **named)

    monkeypatch.setattr(type(pipeline.denoiser), "forward", failing)
    # The processor is where idle parts would go; here it is also where they work.
    monkeypatch.setattr(OffloadedPipeline, "can_offload", True)
    rungs = [rung.sentence for rung in pipeline.ladder._rungs]  # pyright: ignore[reportPrivateUsage]
    return rungs, failures


@pytest.mark.parametrize(("family", "mode"), FAMILY_MODES)
def test_a_mode_paints_the_same_on_the_last_rung(
    opened: Callable[[str], Pipeline], monkeypatch: pytest.MonkeyPatch, family: str, mode: str
) -> None:
    pipeline = opened(family)
    expected = run(request(family, mode), pipeline)
    before = snapshot(pipeline.denoiser)
    rungs, failures = ready_to_fail(pipeline, monkeypatch)
    told: list[str] = []
    monkeypatch.setattr(pipeline.ladder, "on_relief", told.append)
    failures += [torch.OutOfMemoryError("Tried to allocate 1.00 GiB.")] * len(rungs)
    layers = run(request(family, mode), pipeline)
    all_at_hand(pipeline)
    assert [sentence for sentence in told if "Memory ran out" in sentence] == rungs
    assert not failures
    assert [layer.role for layer in layers] == [layer.role for layer in expected]
    for layer, usual in zip(layers, expected, strict=True):
        # A picture that is decoded in tiles differs a little, which random networks enlarge.
        assert np.abs(visible(layer.image) - visible(usual.image)).mean() < 4

    assert_untouched(pipeline.denoiser, before)


@pytest.mark.parametrize("family", TINY_BASES)
def test_below_the_last_rung_it_is_said_and_the_next_painting_works(
    opened: Callable[[str], Pipeline], monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    pipeline, mode = opened(family), FAMILIES[family].modes[0]
    before = snapshot(pipeline.denoiser)
    rungs, failures = ready_to_fail(pipeline, monkeypatch)
    failures += [RuntimeError("CUDA error: out of memory")] * (len(rungs) + 1)
    with pytest.raises(OutOfMemory, match="Memory ran out on cpu"):
        run(request(family, mode), pipeline)
    all_at_hand(pipeline)
    assert not failures
    assert run(request(family, mode), pipeline)
    assert_untouched(pipeline.denoiser, before)


def test_every_family_that_paints_is_tried_here() -> None:
    assert set(TINY_BASES) == set(FAMILIES) - {"upscaler"}
