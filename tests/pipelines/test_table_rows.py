"""Every way in which the table of the README keeps a model paints, forced by the memory it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from acetate.adapters import quantised_linear
from acetate.models.catalog import catalog
from acetate.models.fitting import WORKING, plan_on_card
from acetate.modes import run
from acetate.pipelines.loading import load_folder
from acetate.pipelines.offloaded_pipeline import OffloadedPipeline
from acetate.pipelines.weight_placement import VARIABLE, place_weights, size_of
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.types import Image, Layer, Recipe, Request
from tests.support.tiny_bases import TINY_BASES
from tests.support.tiny_layered import paint_small

pytestmark = [pytest.mark.slow, pytest.mark.matrix]
CPU = torch.device("cpu")
SIDE = 128
GIGABYTE = 10**9


def ways() -> list[tuple[str, str, str]]:
    """Family, bits and manner of every cell of the table."""
    found: dict[tuple[str, str, str], None] = {}
    for entry in catalog().values():
        for card in (6, 8, 12, 16, 24) if entry.networks else ():
            if (cell := plan_on_card(entry.networks, card * GIGABYTE)) is not None:
                found[entry.family, cell.bits, cell.manner] = None
    return list(found)


def opened(family: str, folder: Path) -> OffloadedPipeline:
    loaded = load_folder(TINY_BASES[family](folder), "cpu")
    assert isinstance(loaded, OffloadedPipeline)
    loaded.limits = FrameLimits(32, 32, 1024, 1024 * 1024)
    return loaded


def painted(pipeline: OffloadedPipeline) -> list[Layer]:
    bare = {"layered": "decompose", "flux2": "background", "qwen": "background"}
    mode = bare.get(pipeline.family, "text")
    recipe = Recipe(mode, "a lantern", seed=1, steps=2, passes=1, guidance=1.0, layers=2)
    samples = np.full((SIDE, SIDE, 4), 255, np.uint8)
    samples[32:96, 32:96, :3] = (200, 30, 30)
    image = Image(SIDE, SIDE, samples.tobytes())
    wanted = {"decompose": {"picture": image}, "background": {"layer": image}}.get(mode, {})
    return run(Request(replace(recipe, width=SIDE, height=SIDE), wanted), pipeline)


def memory_for(pipeline: OffloadedPipeline, bits: Any, manner: str) -> float:
    """The most with which the model is still kept so, by the rule of the table."""
    whole = sum(size_of(network).bytes(bits) for network in pipeline.modules) + WORKING
    return {"whole": whole, "turns": whole - 1, "streamed": 0}[manner]


@pytest.fixture(scope="module", autouse=True)
def small_pictures() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        paint_small(patch)
        yield


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[Layer]]:
    """What a family paints where there is memory enough, painted once."""

    @cache
    def paint(family: str) -> list[Layer]:
        return painted(opened(family, tmp_path_factory.mktemp("exact") / "tiny"))

    return paint


@pytest.mark.parametrize(("family", "bits", "manner"), ways())
def test_a_model_paints_as_its_row_says(
    family: str,
    bits: str,
    manner: str,
    exact: Callable[[str], list[Layer]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = exact(family)
    # Tiny layers are narrower than the groups of numbers that share a scale.
    monkeypatch.setattr(quantised_linear, "GROUP", 16)
    pipeline = opened(family, tmp_path / "forced")
    if family in ("sd15", "sdxl"):
        # What did not fit does not fit when a painting begins, either.
        monkeypatch.setattr("acetate.pipelines.stable_diffusion.fits", lambda *sizes: False)
    monkeypatch.setenv(VARIABLE, bits)
    free = memory_for(pipeline, bits, manner)
    found = place_weights(pipeline.modules, pipeline.reducible, CPU, pipeline.ladder, free)
    assert (found is None) == (manner == "whole")
    pipeline._offloading = found  # pyright: ignore[reportPrivateUsage]
    told: list[str] = []
    pipeline.ladder.on_relief = told.append
    layers = painted(pipeline)
    assert ("block by block" in " ".join(told)) == (manner == "streamed")
    assert [layer.recipe.weights for layer in layers if layer.recipe] == [
        "" if bits == "16" else bits
    ] * len(layers)
    pixels = [layer.image.data for layer in layers]
    if bits == "16":
        assert pixels == [layer.image.data for layer in wanted]
    else:
        assert pixels != [layer.image.data for layer in wanted]
        for layer, before in zip(layers, wanted, strict=True):
            one, other = (np.frombuffer(each.image.data, np.uint8) for each in (layer, before))
            assert np.abs(one.astype(int) - other.astype(int)).mean() < 24
