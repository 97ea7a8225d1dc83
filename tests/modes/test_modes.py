from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acetate import __version__
from acetate.models.families import FAMILIES
from acetate.modes import MODES, run, run_each
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import Interrupted, Step
from acetate_bridge.protocol.types import Image, Layer, Recipe, Request, Role

pytestmark = pytest.mark.matrix

NOT_SEEDED = ("fill", "upscale", "defringe", "cutout")
SEEDED = [mode for mode in FAMILIES["embedded"].modes if mode not in NOT_SEEDED]
"""Modes whose every pixel follows from a seed; the others are tested in places of their own."""
RECIPE = Recipe("text", "a red apple", seed=7, steps=3, width=64, height=64)


def request(mode: str = "text", **changes: object) -> Request:
    recipe = replace(RECIPE, mode=mode, **changes)
    names = [wanted.name for wanted in MODES[mode].info.inputs if wanted.required]
    images = {name: blob(recipe.width, recipe.height) for name in names}
    if mode == "extract":
        images["background"] = Image(
            recipe.width, recipe.height, bytes(4 * recipe.width * recipe.height)
        )
    return Request(recipe, images)


def blob(width: int, height: int) -> Image:
    samples = np.zeros((height, width, 4), np.uint8)
    samples[height // 4 : height // 2, width // 4 : width // 2] = (200, 30, 30, 255)
    return Image(width, height, samples.tobytes())


def samples(layer: Layer) -> np.ndarray:
    dtype = np.uint8 if layer.image.format == "rgba8" else np.uint16
    return np.frombuffer(layer.image.data, dtype).reshape(layer.image.height, layer.image.width, 4)


@pytest.mark.parametrize("mode", SEEDED)
def test_the_same_seed_gives_the_same_bytes(tiny_pipeline: Pipeline, mode: str) -> None:
    first, again = (run(request(mode), tiny_pipeline) for _ in range(2))
    assert first == again
    other = run(request(mode, seed=8), tiny_pipeline)
    assert other[0].image != first[0].image


@pytest.mark.parametrize("mode", SEEDED)
def test_a_variant_alone_reproduces_its_bytes(tiny_pipeline: Pipeline, mode: str) -> None:
    variants = run(replace(request(mode), variants=3), tiny_pipeline)
    last = variants[len(variants) // 3 * 2 :]
    assert len({variants[place * len(last)].image.data for place in range(3)}) == 3
    recipe = last[0].recipe
    assert recipe is not None and recipe.seed == 9
    assert run(replace(request(mode), recipe=recipe), tiny_pipeline) == last


@pytest.mark.parametrize("mode", SEEDED)
@pytest.mark.parametrize(("width", "height"), [(64, 64), (80, 48), (48, 96)])
def test_layers_have_the_size_of_the_frame(
    tiny_pipeline: Pipeline, mode: str, width: int, height: int
) -> None:
    for layer in run(request(mode, width=width, height=height), tiny_pipeline):
        assert (layer.image.width, layer.image.height, layer.x, layer.y) == (width, height, 0, 0)


def test_the_recipe_is_complete(tiny_pipeline: Pipeline) -> None:
    (layer,) = run(request("background"), tiny_pipeline)
    assert layer.recipe is not None
    assert layer.recipe.model == tiny_pipeline.model
    assert layer.recipe.model_hash == tiny_pipeline.model_hash
    assert layer.recipe.software == f"acetate {__version__}"
    assert list(layer.recipe.inputs) == ["layer"]


def test_a_background_is_opaque_and_depends_on_its_layer(tiny_pipeline: Pipeline) -> None:
    (layer,) = run(request("background"), tiny_pipeline)
    assert layer.role is Role.BACKGROUND
    assert (samples(layer)[..., 3] == 255).all()
    empty = {"layer": Image(64, 64, bytes(64 * 64 * 4))}
    (other,) = run(replace(request("background"), images=empty), tiny_pipeline)
    assert other.image != layer.image


def test_a_layer_is_transparent_and_named_after_its_prompt(tiny_pipeline: Pipeline) -> None:
    (layer,) = run(request(), tiny_pipeline)
    assert layer.role is Role.FOREGROUND
    assert layer.name == "red apple"
    assert samples(layer)[..., 3].min() < 255


def test_sixteen_bits_are_more_than_stretched_eight(tiny_pipeline: Pipeline) -> None:
    wide = replace(request(), pixel_format="rgba16")
    (layer,) = run(wide, tiny_pipeline)
    assert len(np.unique(samples(layer)[..., :3])) > 1000


def test_steps_are_counted_over_all_variants(tiny_pipeline: Pipeline) -> None:
    seen: list[tuple[int, int]] = []
    run(replace(request(), variants=2), tiny_pipeline, lambda s: seen.append((s.index, s.total)))
    assert seen == [(index, 6) for index in range(1, 7)]


def test_variants_come_one_by_one_and_can_be_stopped(tiny_pipeline: Pipeline) -> None:
    def stop_in_the_second(step: Step) -> None:
        if step.index > 3:
            raise Interrupted

    variants = run_each(replace(request(), variants=2), tiny_pipeline, stop_in_the_second)
    assert len(next(variants)) == 1
    with pytest.raises(Interrupted):
        next(variants)


def test_a_preview_of_a_background_is_opaque(tiny_pipeline: Pipeline) -> None:
    previews: list[float] = []
    run(
        request("background"),
        tiny_pipeline,
        lambda step: previews.append(float(step.preview()[:, 3].min())),
    )
    assert previews == [1.0, 1.0, 1.0]
