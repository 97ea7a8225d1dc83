"""Filling a selection on tiny models of each family: what is not selected is never touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from acetate.errors import BadRequest
from acetate.images.selection import strengths
from acetate.modes import run
from acetate.modes.surroundings import continued, matched
from acetate.pipelines.loading import load_folder
from acetate.pipelines.pipeline import Pipeline
from acetate.workers.generator_api import PainterStep
from acetate.workers.job_runner import run_job
from acetate_bridge.protocol.frame_planning import Frame
from acetate_bridge.protocol.geometry import Rect, Size
from acetate_bridge.protocol.types import FillKind, Image, PixelFormat, Recipe, Request
from tests.support.tiny_bases import TINY_BASES
from tests.support.tiny_model import write_tiny_model

pytestmark = pytest.mark.matrix

FAMILIES = ("embedded", "sd15", "sdxl", "flux")
TOPS: dict[PixelFormat, int] = {"rgba8": 255, "rgba16": 65535}


@pytest.fixture(scope="module", params=FAMILIES)
def pipeline(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = TINY_BASES[request.param](tmp_path_factory.mktemp("fill") / request.param)
    return load_folder(folder, "cpu")


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return load_folder(write_tiny_model(tmp_path_factory.mktemp("fill") / "alone"), "cpu")


def image(values: np.ndarray, pixel_format: PixelFormat = "rgba8") -> Image:
    """Values [H, W, 4] in [0, 1] as an image."""
    kind = "u1" if pixel_format == "rgba8" else "<u2"
    data = np.rint(values * TOPS[pixel_format]).astype(kind).tobytes()
    return Image(values.shape[1], values.shape[0], data, pixel_format)


def samples(found: Image) -> np.ndarray:
    kind = "u1" if found.format == "rgba8" else "<u2"
    return np.frombuffer(found.data, kind).reshape(found.height, found.width, 4)


def noise(side: int, seed: int, pixel_format: PixelFormat = "rgba8") -> Image:
    return image(np.random.default_rng(seed).random((side, side, 4)), pixel_format)


def mask(side: int, *boxes: tuple[int, int, int, int], soft: float = 1.0) -> Image:
    """White in each box (left, top, right, bottom), or grey."""
    values = np.zeros((side, side, 4))
    values[..., 3] = 1
    for left, top, right, bottom in boxes:
        values[top:bottom, left:right, :3] = soft
    return image(values)


def request(layer: Image, selection: Image, **changes: object) -> Request:
    recipe = Recipe("fill", "a red apple", seed=3, steps=1, passes=1, strength=0.7)
    fields = {"width": layer.width, "height": layer.height, **changes}
    recipe = replace(recipe, **fields)
    return Request(recipe, {"layer": layer, "mask": selection}, pixel_format=layer.format)


@pytest.mark.parametrize("kind", ["fill", "expand", "remove"])
def test_every_family_paints_inside_and_touches_nothing_outside(
    pipeline: Pipeline, kind: FillKind
) -> None:
    side = pipeline.native
    layer, selection = noise(side, 1), mask(side, (8, 16, side // 2, side // 2))
    asked = request(layer, selection, fill=kind, prompt="" if kind == "remove" else "apple")
    (filled,) = run(asked, pipeline)
    selected = strengths(selection) > 0
    assert (samples(filled.image)[~selected] == samples(layer)[~selected]).all()
    assert (samples(filled.image)[selected] != samples(layer)[selected]).any()
    assert filled.recipe is not None and filled.recipe.fill == kind
    assert run(asked, pipeline) == [filled]


def test_every_family_fills_an_opaque_picture_with_an_opaque_one(pipeline: Pipeline) -> None:
    side = pipeline.native
    values = np.random.default_rng(4).random((side, side, 4))
    values[..., 3] = 1
    (filled,) = run(request(image(values), mask(side, (9, 9, 41, 33)), fill="remove"), pipeline)
    assert (samples(filled.image)[..., 3] == 255).all()


def test_every_family_heeds_the_picture_below_when_asked(pipeline: Pipeline) -> None:
    side = pipeline.native
    alone = request(noise(side, 5), mask(side, (8, 8, 48, 48)), strength=1.0)
    found = [
        run(replace(alone, images={**alone.images, "below": noise(side, seed)}), pipeline)[0]
        for seed in (6, 7)
    ]
    assert found[0].image != found[1].image
    assert found[0].recipe is not None and "below" in found[0].recipe.inputs


@pytest.mark.parametrize("pixel_format", ["rgba8", "rgba16"])
@pytest.mark.parametrize("seed", range(6))
def test_in_the_document_nothing_outside_moves_at_any_depth_offset_and_scale(
    embedded: Pipeline, seed: int, pixel_format: PixelFormat
) -> None:
    random = np.random.default_rng(seed)
    native = embedded.native
    side = int(random.choice([native, native // 2 + 3, native * 2 - 1]))
    x, y, inset = (int(n) for n in random.integers(-20, 20, 3))
    inset = abs(inset)
    canvas = Rect(x, y, side, side)
    region = Rect(x + inset, y + inset // 2, side - inset - 5, side - inset - 1)
    layer = noise(side, seed + 50, pixel_format)
    soft = random.random((side, side, 1)) * (random.random((side, side, 1)) < 0.5)
    selection = image(np.concatenate([soft, soft, soft, np.ones_like(soft)], axis=-1))
    asked = request(layer, selection, width=native, height=native)
    asked = replace(asked, frame=Frame(region, canvas, Size(native, native)))
    sent: list[tuple[object, bytes]] = []

    class Painter:
        def paint(self, request: Request, on_step: Callable[[PainterStep], None]) -> list:
            return run(request, embedded)

    run_job(
        "job",
        asked,
        Painter(),  # type: ignore[arg-type]
        lambda message, payload=b"": sent.append((message, payload)),
        lambda: False,
        1e9,
    )
    data = sent[-1][1]
    filled = samples(Image(region.width, region.height, data, pixel_format))
    rows = slice(inset // 2, inset // 2 + region.height)
    columns = slice(inset, inset + region.width)
    outside = strengths(selection)[rows, columns] == 0
    assert outside.any() and not outside.all()
    assert (filled[outside] == samples(layer)[rows, columns][outside]).all()
    assert (filled[~outside] != samples(layer)[rows, columns][~outside]).any()


def test_one_pixel_is_filled_alone(embedded: Pipeline) -> None:
    layer = noise(64, 8)
    (filled,) = run(request(layer, mask(64, (30, 31, 31, 32))), embedded)
    changed = (samples(filled.image) != samples(layer)).any(axis=-1)
    assert changed[31, 30] and changed.sum() == 1


def test_all_of_a_layer_can_be_selected(embedded: Pipeline) -> None:
    layer = noise(64, 9)
    (filled,) = run(request(layer, mask(64, (0, 0, 64, 64))), embedded)
    assert filled.image != layer


@pytest.mark.parametrize("selection", [mask(64), image(np.zeros((64, 64, 4)))])
def test_nothing_selected_is_one_sentence(embedded: Pipeline, selection: Image) -> None:
    with pytest.raises(BadRequest, match="Nothing is selected"):
        run(request(noise(64, 1), selection), embedded)


def test_expanding_into_what_is_full_is_one_sentence(embedded: Pipeline) -> None:
    full = np.ones((64, 64, 4))
    asked = request(image(full), mask(64, (8, 8, 20, 20)), fill="expand")
    with pytest.raises(BadRequest, match="nothing to expand into"):
        run(asked, embedded)


def test_expanding_into_a_corner_that_stays_empty_is_one_sentence(
    embedded: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.zeros((64, 64, 4))
    values[:16, :16] = (0.8, 0.3, 0.2, 1.0)
    monkeypatch.setattr(embedded, "decode_layer", lambda latent, passes: torch.zeros(1, 4, 64, 64))
    corner = mask(64, (48, 48, 64, 64))
    with pytest.raises(BadRequest, match="nothing was painted"):
        run(request(image(values), corner, fill="expand"), embedded)
    (removed,) = run(request(image(values), corner, fill="remove"), embedded)
    assert samples(removed.image)[48:, 48:, 3].max() == 0


def test_expanding_keeps_what_the_layer_has_in_the_selection(embedded: Pipeline) -> None:
    values = np.zeros((64, 64, 4))
    values[:, :32] = (0.8, 0.3, 0.2, 1.0)
    layer = image(values)
    asked = request(layer, mask(64, (16, 16, 56, 56)), fill="expand")
    (filled,) = run(asked, embedded)
    assert (samples(filled.image)[:, :32] == samples(layer)[:, :32]).all()
    assert (samples(filled.image)[16:56, 32:56] != samples(layer)[16:56, 32:56]).any()


def test_a_prompt_is_needed_unless_something_is_removed(embedded: Pipeline) -> None:
    asked = request(noise(64, 1), mask(64, (8, 8, 20, 20)), prompt=" ")
    with pytest.raises(BadRequest, match="prompt is empty"):
        run(asked, embedded)


def test_a_mask_of_another_size_is_named(embedded: Pipeline) -> None:
    with pytest.raises(BadRequest, match="“mask” has 32 × 32 pixels"):
        run(request(noise(64, 1), mask(32, (1, 1, 9, 9))), embedded)


def test_a_hole_is_continued_from_around_it() -> None:
    """Enclosed by an even colour it has that colour, whatever lies further off or was inside."""
    layer = torch.zeros(1, 4, 64, 64)
    layer[:, :, 8:56, 8:56] = torch.tensor([0.9, 0.5, 0.1, 1.0])[:, None, None]
    free = torch.zeros(1, 1, 64, 64)
    free[..., 24:40, 24:40] = 1
    layer[..., 24:40, 24:40] = torch.rand(1, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    filled = continued(layer, free)
    wanted = torch.tensor([0.9, 0.5, 0.1, 1.0])[:, None, None]
    assert (filled[0, :, 24:40, 24:40] - wanted).abs().max() < 0.02
    assert torch.equal(filled[..., :24], layer[..., :24])


def test_another_tone_of_the_model_leaves_no_seam() -> None:
    layer = torch.full((1, 4, 64, 64), 0.6)
    layer[:, 3] = 1
    free = torch.zeros(1, 1, 64, 64)
    free[..., 20:44, 20:44] = 1
    painted = layer.clone()
    painted[:, :3] += 0.08
    painted[:, 3] -= 0.03
    assert (matched(painted, layer, free) - layer)[..., 20:44, 20:44].abs().max() < 0.005
