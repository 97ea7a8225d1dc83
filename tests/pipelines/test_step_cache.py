"""Steps that would change little are skipped where a recipe says so, and only there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from acetate.errors import BadRequest
from acetate.model_import.importing import import_any
from acetate.models.families import FAMILIES, FEW_TO_SKIP, FIRST_BLOCK, MAG, TAYLOR
from acetate.modes import run
from acetate.pipelines import step_cache
from acetate.pipelines.loading import load_folder, load_pipeline
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.types import Image, Layer, Recipe, Request
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.support.tiny_adapters import write_adapter
from tests.support.tiny_families import write_tiny_sd15
from tests.support.tiny_flux import write_tiny_flux
from tests.support.tiny_layered import paint_small, write_tiny_layered
from tests.support.tiny_qwen import write_tiny_qwen
from tests.support.tiny_qwen21 import write_tiny_qwen21

pytestmark = [pytest.mark.slow, pytest.mark.matrix]
SIDE = 128
STEPS = 12
WRITE: dict[str, Callable[[Path], Path]] = {
    "flux": lambda folder: write_tiny_flux(folder, pickled=False),
    "qwen21": write_tiny_qwen21,
    "qwen": lambda folder: write_tiny_qwen(folder, blocks=2),
    "layered": write_tiny_layered,
}


@pytest.fixture(scope="module", params=["flux", "qwen21", "qwen"])
def pipeline(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    root = tmp_path_factory.mktemp("cache")
    folder = WRITE[request.param](root / "tiny")
    loaded = opened_with_adapter(folder) if request.param == "qwen" else load_folder(folder, "cpu")
    loaded.limits = FrameLimits(32, 32, 1024, 1024 * 1024)
    return loaded


def opened_with_adapter(folder: Path) -> Pipeline:
    """Qwen-Image, which paints layers by an adapter alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACETATE_MODELS_DIR", str(folder.parent / "own"))
        import_any(str(folder))
        adapter = write_adapter(folder.parent / "clear", folder, "qwen", family="qwen")
        import_any(str(adapter), base=folder.name)
        return load_pipeline(adapter.name, "cpu")


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks without training differ far more from step to step than those of a real model."""
    for name in ("THRESHOLD", "LARGEST_CHANGE", "SEEN_CHANGE"):
        monkeypatch.setattr(step_cache, name, 100.0)


def painted(pipeline: Pipeline, **changes: Any) -> tuple[list[Layer], list[str]]:
    """The layers, and what was told."""
    mode = "decompose" if pipeline.family == "layered" else "text"
    recipe = Recipe(mode, "a red apple", seed=7, steps=STEPS, guidance=1.0, passes=1, layers=2)
    request = Request(replace(recipe, width=SIDE, height=SIDE, **changes))
    if mode == "decompose":
        samples = np.full((SIDE, SIDE, 4), 255, np.uint8)
        samples[32:96, 32:96, :3] = (200, 30, 30)
        request = replace(request, images={"picture": Image(SIDE, SIDE, samples.tobytes())})
    told: list[str] = []
    pipeline.ladder.on_relief = told.append
    return run(request, pipeline), told


def pixels(layers: list[Layer]) -> list[bytes]:
    return [layer.image.data for layer in layers]


def recipes(layers: list[Layer]) -> list[Recipe]:
    return [layer.recipe for layer in layers if layer.recipe is not None]


def test_steps_are_skipped_the_recipe_says_so_and_paints_the_same_again(
    pipeline: Pipeline,
) -> None:
    before = snapshot(pipeline.denoiser)
    whole, _ = painted(pipeline)
    seen = [pixels(whole)]
    for cache in FAMILIES[pipeline.family].step_caches:
        layers, told = painted(pipeline, cache=cache)
        (sentence,) = told
        skipped, runs = (int(word) for word in sentence.split() if word.isdecimal())
        assert 0 < skipped < runs == STEPS
        assert {recipe.cache for recipe in recipes(layers)} == {cache}
        assert pixels(layers) not in seen
        seen.append(pixels(layers))
        again, _ = painted(pipeline, cache=cache)
        assert pixels(again) == pixels(layers)
    # Nothing of it is left.
    assert pixels(painted(pipeline)[0]) == pixels(whole)
    assert_untouched(pipeline.denoiser, before)


@pytest.mark.parametrize("pipeline", ["flux"], indirect=True)
def test_painting_from_a_picture_is_skipped_as_the_end_of_a_whole_painting_is(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`mag` goes by where in the schedule a step stands, and the end of it changes much."""
    begun: list[tuple[int, int]] = []
    plain = step_cache.StepCache.begin

    def begin(self: step_cache.StepCache, steps: int, skipped: int) -> None:
        begun.append((steps, skipped))
        plain(self, steps, skipped)

    monkeypatch.setattr(step_cache.StepCache, "begin", begin)
    samples = np.full((SIDE, SIDE, 4), 200, np.uint8)
    recipe = Recipe("refine", "an apple", seed=7, steps=10, guidance=1.0, strength=0.5, passes=1)
    recipe = replace(recipe, width=SIDE, height=SIDE, cache=MAG)
    run(Request(recipe, {"layer": Image(SIDE, SIDE, samples.tobytes())}), pipeline)
    assert begun == [(20, 10)]


def test_where_no_step_is_alike_the_picture_is_that_without_a_cache(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("THRESHOLD", "LARGEST_CHANGE", "SEEN_CHANGE"):
        monkeypatch.setattr(step_cache, name, 0.0)
    whole, _ = painted(pipeline)
    # `taylor` asks nothing, and `mag` only how much a step mostly changes.
    for cache in set(FAMILIES[pipeline.family].step_caches) - {TAYLOR, MAG}:
        layers, told = painted(pipeline, cache=cache)
        assert told[0].startswith(f"0 of {STEPS} ")
        near, far = (np.frombuffer(b"".join(pixels(each)), np.uint8) for each in (layers, whole))
        assert np.abs(near.astype(int) - far.astype(int)).max() <= 1


def test_of_few_steps_none_is_skipped(pipeline: Pipeline) -> None:
    whole, _ = painted(pipeline, steps=FEW_TO_SKIP)
    layers, told = painted(pipeline, steps=FEW_TO_SKIP, cache=FIRST_BLOCK)
    assert told == [f"Of {FEW_TO_SKIP} steps none is skipped: they are few already."]
    assert pixels(layers) == pixels(whole)
    assert {recipe.cache for recipe in recipes(layers)} == {""}


@pytest.mark.parametrize("pipeline", ["qwen21", "qwen"], indirect=True)
def test_wanted_and_avoided_words_are_remembered_apart(pipeline: Pipeline) -> None:
    layers, told = painted(pipeline, cache=FIRST_BLOCK, guidance=3.0, negative_prompt="grey")
    assert f"of {2 * STEPS} runs" in told[0]
    again, _ = painted(pipeline, cache=FIRST_BLOCK, guidance=3.0, negative_prompt="grey")
    assert pixels(again) == pixels(layers)


def test_each_variant_begins_anew(pipeline: Pipeline) -> None:
    recipe = Recipe("text", "a red apple", seed=7, steps=STEPS, guidance=1.0, passes=1)
    recipe = replace(recipe, width=SIDE, height=SIDE, cache=FIRST_BLOCK)
    _, second = run(Request(recipe, variants=2), pipeline)
    assert second.recipe is not None
    (alone,) = run(Request(replace(second.recipe, files={})), pipeline)
    assert alone.image == second.image


@pytest.mark.parametrize("block", [0, -1])
def test_a_step_for_which_memory_ran_out_is_made_again_as_if_it_had_not(
    block: int, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = FIRST_BLOCK if block == 0 else FAMILIES[pipeline.family].step_caches[-2]
    expected, _ = painted(pipeline, cache=cache)
    network: Any = pipeline.denoiser
    blocks = [*network.transformer_blocks, *getattr(network, "single_transformer_blocks", ())]
    kind = type(blocks[block])
    plain = kind.forward
    # The last block is run in whole steps alone, of which the first is one.
    failures = iter([False, True] if block == 0 else [True])

    def failing(self: Any, *arguments: Any, **keywords: Any) -> Any:
        found = plain(self, *arguments, **keywords)
        if self is blocks[block] and next(failures, False):
            raise torch.OutOfMemoryError("Tried to allocate 1.00 GiB.")
        return found

    monkeypatch.setattr(kind, "forward", failing)
    layers, told = painted(pipeline, cache=cache)
    assert any("Memory ran out" in sentence for sentence in told)
    assert pixels(layers) == pixels(expected)


def test_what_has_no_step_cache_says_so(pipeline: Pipeline, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="no step cache “no” for this model: use first_block"):
        painted(pipeline, cache="no")
    other = load_folder(write_tiny_sd15(tmp_path / "sd15"), "cpu")
    with pytest.raises(BadRequest, match="Stable Diffusion 1.5 has no step caches"):
        painted(other, cache=FIRST_BLOCK)


def test_a_picture_is_taken_apart_so_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through diffusers' own pipeline."""
    paint_small(monkeypatch)
    pipeline = load_folder(write_tiny_layered(tmp_path / "tiny", blocks=2), "cpu")
    pipeline.limits = FrameLimits(32, 32, 1024, 1024 * 1024)
    steps = FEW_TO_SKIP + 1
    for cache in (FIRST_BLOCK, TAYLOR):
        layers, (sentence,) = painted(pipeline, cache=cache, steps=steps)
        skipped, runs = (int(word) for word in sentence.split() if word.isdecimal())
        assert 0 < skipped < runs == steps
        assert {recipe.cache for recipe in recipes(layers)} == {cache}
        again, told = painted(pipeline, cache=cache, steps=steps)
        assert pixels(again) == pixels(layers) and told == [sentence]


def test_a_denoiser_of_one_block_is_run_as_it_is(tmp_path: Path) -> None:
    pipeline = load_folder(write_tiny_layered(tmp_path / "one"), "cpu")
    with step_cache.caching(pipeline.denoiser) as cache:
        assert cache is None


def test_every_family_that_has_a_cache_is_tried_here() -> None:
    assert {name for name, family in FAMILIES.items() if family.step_caches} == set(WRITE)
