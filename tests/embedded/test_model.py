from __future__ import annotations

from pathlib import Path

import pytest
from safetensors import safe_open

from acetate.models.catalog import entry_named
from acetate.modes import MODES, run
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge.protocol.types import Image, Layer, Recipe, Request

pytestmark = pytest.mark.matrix

NOT_SEEDED = ("fill", "upscale", "defringe", "cutout")
SEEDED = [mode for mode in entry_named("embedded").modes if mode not in NOT_SEEDED]
MOST_BYTES = 96 * 10**6


def paint(pipeline: Pipeline, mode: str, seed: int = 7) -> list[Layer]:
    size = pipeline.limits.lowest
    blank = Image(size, size, bytes(size * size * 4))
    images = {wanted.name: blank for wanted in MODES[mode].info.inputs if wanted.required}
    if mode == "extract":
        images["background"] = blank
    recipe = Recipe(mode, "a red apple", seed=seed, steps=2, passes=2, width=size, height=size)
    return run(Request(recipe, images), pipeline)


def test_it_is_what_the_catalog_says(embedded_pipeline: Pipeline) -> None:
    entry = entry_named("embedded")
    assert embedded_pipeline.native == entry.native
    assert embedded_pipeline.limits == entry.frame
    assert set(entry.modes) <= set(MODES)


def test_all_of_it_is_small_and_half_precision(embedded_folder: Path) -> None:
    files = [path for path in embedded_folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= MOST_BYTES
    for path in embedded_folder.rglob("*.safetensors"):
        with safe_open(path, "pt") as weights:
            kinds = {weights.get_slice(name).get_dtype() for name in weights.keys()}  # noqa: SIM118
        assert kinds <= {"F16", "I64"}, path


@pytest.mark.parametrize("mode", SEEDED)
def test_it_paints_the_same_bytes_for_the_same_seed(embedded_pipeline: Pipeline, mode: str) -> None:
    first, again, other = (paint(embedded_pipeline, mode, seed) for seed in (7, 7, 8))
    assert first == again
    assert first[0].image != other[0].image


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1.5, 0.75)])
def test_it_paints_frames_of_other_proportions(
    embedded_pipeline: Pipeline, width: float, height: float
) -> None:
    sides = [round(embedded_pipeline.native * share) for share in (width, height)]
    recipe = Recipe("text", "a red apple", steps=2, width=sides[0], height=sides[1])
    (layer,) = run(Request(recipe), embedded_pipeline)
    assert [layer.image.width, layer.image.height] == sides
