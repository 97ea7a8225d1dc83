"""Every mode of the large families on every rung that a card has, each with what it can do most."""

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
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.types import Image, Recipe, Request
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.support.tiny_adapters import write_adapter, write_like_alphaanything
from tests.support.tiny_families import write_tiny_sd15
from tests.support.tiny_flux import write_tiny_flux
from tests.support.tiny_flux2 import write_tiny_flux2
from tests.support.tiny_layered import paint_small, write_tiny_layered
from tests.support.tiny_onnx import write_matting
from tests.support.tiny_qwen import write_tiny_qwen
from tests.support.tiny_qwen21 import write_tiny_qwen21

pytestmark = pytest.mark.matrix

SIDE = 64
RUNGS = (
    "what was only remembered was let go",
    "decoded in pieces",
    "idle parts of the model wait outside",
    "comes in",
)


def opened(place: Path, write: Callable[[Path], Path]) -> Any:
    return load_folder(write(place / "tiny"), "cpu")


def adapted(
    place: Path,
    write: Callable[[Path], Path],
    adapter: Callable[[Path, Path, str], Path],
    family: str,
) -> Any:
    base = write(place / "tiny")
    import_any(str(base))
    import_any(str(adapter(place / "clear", base, family)), base=base.name)
    return load_pipeline("clear", "cpu")


def apart(place: Path) -> Any:
    """An ordinary base beside a matting network."""
    import_any(str(write_matting(place / "u2net.onnx")))
    return opened(place, write_tiny_sd15)


ALL = FAMILIES["qwen21"].modes
PIPELINES: dict[str, tuple[tuple[str, ...], Callable[[Path], Any]]] = {
    "flux": (
        FAMILIES["flux"].modes,
        lambda place: opened(place, lambda folder: write_tiny_flux(folder, pickled=False)),
    ),
    "qwen21": (ALL, lambda place: opened(place, write_tiny_qwen21)),
    "flux2 with an adapter": (
        ALL,
        lambda place: adapted(place, write_tiny_flux2, write_adapter, "flux2"),
    ),
    "qwen with a decoder of alpha": (
        ALL,
        lambda place: adapted(
            place,
            lambda folder: write_tiny_qwen(folder, edits=True),
            write_like_alphaanything,
            "qwen",
        ),
    ),
    "layered": (("decompose",), lambda place: opened(place, write_tiny_layered)),
    "sd15 with a matting network": (("decompose",), apart),
}


def picture(around: int) -> Image:
    samples = np.full((SIDE, SIDE, 4), (200, 220, 210, around), np.uint8)
    samples[16:48, 16:48] = (230, 10, 10, 255)
    return Image(SIDE, SIDE, samples.tobytes())


def request(mode: str) -> Request:
    recipe = Recipe(mode, "a red apple", seed=7, steps=2, guidance=1.0, passes=1, layers=2)
    recipe = replace(recipe, width=SIDE, height=SIDE, strength=0.6)
    wanted = [each.name for each in mode_named(mode).info.inputs if each.required]
    images = {name: picture(0 if name == "layer" else 255) for name in wanted}
    if mode == "extract":
        images["background"] = picture(255)
    return Request(recipe, images)


def seen(image: Image) -> np.ndarray:
    """Colour times alpha, and alpha: in levels of 8 bits."""
    rgba = np.frombuffer(image.data, np.uint8).reshape(-1, 4).astype(float)
    return np.concatenate([rgba[:, :3] * rgba[:, 3:] / 255, rgba[:, 3:]], axis=1)


@pytest.mark.parametrize("name", PIPELINES)
def test_every_mode_paints_the_same_down_to_the_last_rung(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "own"))
    paint_small(monkeypatch, side=320)  # More than the tiles of 256 in which it is decoded.
    modes, load = PIPELINES[name]
    pipeline = load(tmp_path)
    pipeline.limits = FrameLimits(32, 32, 512, 512 * 512)
    before = [snapshot(network) for network in pipeline.modules]
    expected = {mode: run(request(mode), pipeline) for mode in modes}
    monkeypatch.setattr(OffloadedPipeline, "can_offload", property(lambda self: True))
    forward = pipeline.denoiser.forward
    failures: list[Exception] = []

    def failing(*given: Any, **named: Any) -> Any:
        if failures:
            raise failures.pop()
        return forward(*given, **named)

    monkeypatch.setattr(pipeline.denoiser, "forward", failing)
    told: list[str] = []
    monkeypatch.setattr(pipeline.ladder, "on_relief", told.append)
    for mode in modes:
        # What waits outside stays there, and so goes the way of the last rung from then on.
        failures += [torch.OutOfMemoryError("Tried to allocate 1.00 GiB.")] * (
            2 if mode != modes[0] else len(RUNGS)
        )
        layers = run(request(mode), pipeline)
        assert not failures
        assert [layer.role for layer in layers] == [layer.role for layer in expected[mode]]
        for layer, usual in zip(layers, expected[mode], strict=True):
            # A picture that is decoded in tiles differs a little, which random networks enlarge.
            assert np.abs(seen(layer.image) - seen(usual.image)).mean() < 4, mode
    assert all(any(words in sentence for sentence in told) for words in RUNGS)
    failures += [torch.OutOfMemoryError("Tried to allocate 1.00 GiB.")] * 99
    with pytest.raises(OutOfMemory, match="the painting needs 1.1 GB more"):
        run(request(modes[0]), pipeline)
    for network, once in zip(pipeline.modules, before, strict=True):
        assert_untouched(network, once)
