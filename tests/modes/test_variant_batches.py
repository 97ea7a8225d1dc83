"""Variants denoised as one batch, as on a card; here the processor is made to do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from acetate.modes import run, run_each, variant_batches
from acetate.modes.variant_batches import BATCH, at_once, room
from acetate.pipelines.denoising import APART
from acetate.pipelines.loading import load_folder
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import Interrupted, Step
from acetate_bridge.protocol.types import Image, Layer, Recipe, Request
from tests.support.tiny_bases import TINY_BASES

pytestmark = pytest.mark.matrix

FAMILIES = ("embedded", "sd15", "sdxl", "flux")
CARD = torch.device("cuda", 0)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Pipeline]:
    """The tiny model of a family, loaded once."""
    root, held = tmp_path_factory.mktemp("batches"), dict[str, Pipeline]()

    def load(family: str) -> Pipeline:
        if family not in held:
            held[family] = load_folder(TINY_BASES[family](root / f"tiny-{family}"), "cpu")
        return held[family]

    return load


@pytest.fixture
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the processor were a card with much memory."""
    monkeypatch.setattr(variant_batches, "room", lambda pipeline, pixels: 16)


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No layer is tried a second time, whatever random weights paint."""
    monkeypatch.setattr("acetate.modes.second_try.alpha_warning", lambda image: "")


@pytest.fixture
def runs(opened: Callable[[str], Pipeline], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many pictures each run of the tiny SDXL's sampling loop has."""
    counts, whole = list[int](), Pipeline.denoise_prepared

    def counted(self: Pipeline, asked: Any, *arguments: Any, **named: Any) -> Tensor:
        counts.append(len(asked.noise))
        return whole(self, asked, *arguments, **named)

    monkeypatch.setattr(Pipeline, "denoise_prepared", counted)
    yield counts


def request(family: str = "sdxl", variants: int = 3, **changes: Any) -> Request:
    guidance = 1.0 if family == "flux" else 4.0
    recipe = Recipe("text", "a red apple", seed=7, steps=3, guidance=guidance, passes=1)
    side = 64 if family == "embedded" else 128
    return Request(replace(recipe, width=side, height=side, **changes), variants=variants)


def pixels(layer: Layer) -> np.ndarray:
    return np.frombuffer(layer.image.data, np.uint8).astype(int)


def apart(layers: list[Layer], others: list[Layer]) -> int:
    """How many levels two series of layers differ by; all else must be the same."""
    assert [layer.recipe for layer in layers] == [layer.recipe for layer in others]
    assert [layer.name for layer in layers] == [layer.name for layer in others]
    pairs = list(zip(layers, others, strict=True))
    return max(int(np.abs(pixels(one) - pixels(other)).max()) for one, other in pairs)


def one_by_one(asked: Request, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> list[Layer]:
    with monkeypatch.context() as patch:
        patch.setenv(BATCH, "1")
        return run(asked, pipeline)


@pytest.mark.usefixtures("roomy")
@pytest.mark.parametrize("family", FAMILIES)
def test_in_a_batch_each_variant_is_what_it_is_alone(
    opened: Callable[[str], Pipeline],
    monkeypatch: pytest.MonkeyPatch,
    runs: list[int],
    family: str,
) -> None:
    pipeline, asked = opened(family), request(family)
    together = run(asked, pipeline)
    assert runs[0] == 3 and set(runs[1:]) <= {1}  # Those alone are second tries.
    assert len({layer.image.data for layer in together}) == 3
    assert apart(together, one_by_one(asked, pipeline, monkeypatch)) <= 2
    recipe = together[-1].recipe
    assert recipe is not None
    alone = run(replace(asked, recipe=recipe, variants=1), pipeline)
    assert apart(alone, together[-1:]) <= 2


@pytest.mark.usefixtures("roomy")
@pytest.mark.parametrize("scheduler", ["euler_a", "dpmpp_2m_sde_karras", "lcm"])
def test_a_sampler_that_draws_noise_draws_that_of_each_seed(
    opened: Callable[[str], Pipeline],
    monkeypatch: pytest.MonkeyPatch,
    runs: list[int],
    scheduler: str,
) -> None:
    pipeline, asked = opened("sd15"), request("sd15", scheduler=scheduler)
    together = run(asked, pipeline)
    assert runs[0] == 3
    assert apart(together, one_by_one(asked, pipeline, monkeypatch)) <= 2


@pytest.mark.usefixtures("roomy")
@pytest.mark.parametrize("family", ["embedded", "sdxl"])
def test_each_variant_is_told_its_own_words(
    opened: Callable[[str], Pipeline],
    monkeypatch: pytest.MonkeyPatch,
    runs: list[int],
    family: str,
) -> None:
    pipeline, asked = opened(family), request(family, variants=4, prompt="a {red|blue|big} {a|b}")
    together = run(asked, pipeline)
    assert runs[0] == 4
    said = {layer.recipe.prompt for layer in together if layer.recipe is not None}
    assert len(said) > 1 and not any("{" in words for words in said)
    assert apart(together, one_by_one(asked, pipeline, monkeypatch)) <= 2


@pytest.mark.usefixtures("roomy")
def test_the_bare_base_ends_those_that_stop_early_together(
    opened: Callable[[str], Pipeline], monkeypatch: pytest.MonkeyPatch, runs: list[int]
) -> None:
    pipeline, asked = opened("sdxl"), request(stop_at=0.5)
    together = run(asked, pipeline)
    assert runs[0] == 3
    assert apart(together, one_by_one(asked, pipeline, monkeypatch)) <= 2


@pytest.mark.usefixtures("roomy")
def test_words_that_take_turns_or_fill_another_number_of_chunks_are_painted_alone(
    opened: Callable[[str], Pipeline], monkeypatch: pytest.MonkeyPatch, runs: list[int]
) -> None:
    pipeline = opened("sdxl")
    run(request(prompt="a [red|blue] apple"), pipeline)
    assert set(runs) == {1}
    runs.clear()
    long = " ".join(["apple"] * 80)
    asked = request(variants=4, prompt=f"{{red|{long}}}")
    layers = run(asked, pipeline)
    lengths = [len(layer.recipe.prompt) > 9 for layer in layers if layer.recipe is not None]
    assert set(lengths) == {True, False}
    assert apart(layers, one_by_one(asked, pipeline, monkeypatch)) <= 2


@pytest.mark.usefixtures("roomy", "once")
def test_at_most_so_many_are_painted_together_as_was_said(
    opened: Callable[[str], Pipeline], monkeypatch: pytest.MonkeyPatch, runs: list[int]
) -> None:
    decoded: list[int] = []
    pipeline = opened("sdxl")
    decode = pipeline.decode_layer
    monkeypatch.setattr(
        pipeline,
        "decode_layer",
        lambda latent, passes: decoded.append(len(latent)) or decode(latent, passes),
    )
    run(request(variants=5), pipeline)
    assert runs == [4, 1] and decoded == [1] * 5
    runs.clear()
    monkeypatch.setenv(BATCH, "2")
    run(request(variants=5), pipeline)
    assert runs == [2, 2, 1]


@pytest.mark.usefixtures("roomy", "once")
def test_steps_count_all_variants_and_the_preview_shows_one(
    opened: Callable[[str], Pipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int, int]] = []

    def hear(step: Step) -> None:
        seen.append((step.index, step.total, len(step.preview())))

    run(request(variants=5), opened("sdxl"), hear)
    assert seen == [(index, 15, 1) for index in (4, 8, 12, 13, 14, 15)]


@pytest.mark.usefixtures("roomy")
def test_a_batch_is_stopped_within_a_step_and_leaves_nothing_behind(
    opened: Callable[[str], Pipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline, asked = opened("sdxl"), request()
    before = run(replace(asked, variants=1), pipeline)

    def stop(step: Step) -> None:
        assert step.index == 3
        raise Interrupted

    with pytest.raises(Interrupted):
        next(run_each(asked, pipeline, stop))
    assert run(replace(asked, variants=1), pipeline) == before


@pytest.mark.usefixtures("roomy")
def test_a_second_try_is_painted_alone_and_the_others_stay(
    opened: Callable[[str], Pipeline], monkeypatch: pytest.MonkeyPatch, runs: list[int]
) -> None:
    pipeline, shown = opened("sdxl"), torch.zeros(1, 4, 128, 128)
    shown[..., 32:96, 32:96] = 1
    full = torch.ones(1, 4, 128, 128)
    left = [shown, full, shown, shown]
    monkeypatch.setattr(pipeline, "decode_layer", lambda latent, passes: left.pop(0))
    layers = run(request(), pipeline)
    assert runs == [3, 1] and not left
    seeds = [layer.recipe.seed for layer in layers if layer.recipe is not None]
    assert seeds == [7, 8 + 16, 9]


@pytest.mark.usefixtures("roomy", "once")
@pytest.mark.parametrize("failing", [0, 2])
def test_where_memory_runs_out_in_a_batch_the_next_step_takes_one_after_another(
    opened: Callable[[str], Pipeline],
    monkeypatch: pytest.MonkeyPatch,
    runs: list[int],
    failing: int,
) -> None:
    """Of three steps some are done together: none of them is done again, and none is lost."""
    pipeline, asked = opened("sdxl"), request(variants=4)
    expected = one_by_one(asked, pipeline, monkeypatch)
    runs.clear()
    predict, told, sizes, steps = pipeline.predict, list[str](), list[int](), list[int]()

    def scarce(latent: Tensor, timestep: Tensor, said: Any) -> Tensor:
        if len(latent) > 2 and len(sizes) == failing:
            raise torch.OutOfMemoryError("tried to allocate 3.00 GiB")
        sizes.append(len(latent))
        return predict(latent, timestep, said)

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "predict", scarce)
        patch.setattr(pipeline.ladder, "on_relief", told.append)
        layers = run(asked, pipeline, lambda step: steps.append(step.index))
    assert told == [APART]
    assert runs == [4] and steps == [4, 8, 12]
    assert sizes == [8] * failing + [2, 2, 2, 2] * (3 - failing)
    assert apart(layers, expected) <= 2
    # What was given up is there again for the next painting.
    assert at_once(asked, 4, pipeline) == 1
    pipeline.begin()
    assert at_once(asked, 4, pipeline) == 4


@pytest.mark.usefixtures("roomy")
def test_what_a_batch_cannot_have_for_each_picture_is_painted_one_by_one(
    opened: Callable[[str], Pipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline, asked = opened("sdxl"), request()
    pipeline.begin()
    assert at_once(asked, 3, pipeline) == 3
    picture = Image(128, 128, bytes(4 * 128 * 128))
    assert at_once(replace(asked, images={"reference": picture}), 3, pipeline) == 1
    assert at_once(replace(asked, recipe=replace(asked.recipe, cache="sea")), 3, pipeline) == 1
    assert at_once(replace(asked, recipe=replace(asked.recipe, mode="joint")), 3, pipeline) == 1
    monkeypatch.setattr(pipeline, "compiled", object())
    assert at_once(asked, 3, pipeline) == 1


def test_a_processor_paints_one_by_one_to_the_same_bytes(
    opened: Callable[[str], Pipeline], runs: list[int]
) -> None:
    pipeline, asked = opened("sdxl"), request()
    layers = run(asked, pipeline)
    assert set(runs) == {1}
    recipe = layers[-1].recipe
    assert recipe is not None
    assert run(replace(asked, recipe=recipe, variants=1), pipeline) == layers[-1:]


def test_a_card_takes_as_many_as_its_free_memory_holds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Weight:
        def __init__(self, device: torch.device) -> None:
            self.device = device

    class Network:
        def __init__(self, device: torch.device) -> None:
            self._device = device

        def parameters(self) -> list[Weight]:
            return [Weight(self._device)]

    class Loaded:
        device, native = CARD, 1024
        modules = (Network(CARD), Network(CARD))

    free = 9 * 2**30
    monkeypatch.setattr("acetate.pipelines.memory_ladder.free_memory", lambda device: free)
    loaded: Any = Loaded()
    assert room(loaded, 1024 * 1024) == 4
    assert room(loaded, 512 * 512) == 4
    assert room(loaded, 2048 * 1024) == 2
    loaded.modules = (Network(CARD), Network(torch.device("cpu")))  # The other part waits outside.
    assert room(loaded, 1024 * 1024) == 1
    loaded.device = torch.device("cpu")
    assert room(loaded, 64 * 64) == 1
