from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from acetate.errors import AcetateError
from acetate.models.own_register import own_folder
from acetate.modes import variant_batches
from acetate.workers.generator import Generator, open_generator
from acetate.workers.generator_api import BatchPainter, Note, PainterStep
from acetate_bridge.protocol.types import Recipe, Request


def test_a_worker_looks_for_models_where_the_server_was_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", "")
    open_generator("cpu", tmp_path / "elsewhere")
    assert own_folder() == tmp_path / "elsewhere"


def test_a_fault_of_the_card_is_a_sentence_and_any_other_stays_what_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ["CUDA error: unspecified launch failure", "a bug"]

    def failing(*arguments: object) -> None:
        raise RuntimeError(words.pop(0))

    monkeypatch.setattr("acetate.workers.generator.run", failing)
    generator = Generator("cpu")
    request = Request(Recipe("text", "a cat"))
    with pytest.raises(AcetateError, match="stopped answering while it painted") as told:
        generator.paint(request, lambda step: None)
    assert told.value.code == "device_lost"
    with pytest.raises(RuntimeError, match="a bug"):
        generator.paint(request, lambda step: None)


def test_variants_are_painted_together_where_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    generator, steps = Generator("cpu"), list[tuple[int, int]]()
    recipe = Recipe("text", "a red apple", seed=3, steps=2, passes=1, width=384, height=384)
    asked = Request(recipe, variants=3)
    assert isinstance(generator, BatchPainter) and generator.at_once(asked) == 1
    monkeypatch.setattr(variant_batches, "room", lambda pipeline, pixels: 2)
    assert generator.at_once(asked) == 2
    assert generator.at_once(replace(asked, variants=1)) == 1

    def hear(step: PainterStep | Note) -> None:
        if isinstance(step, PainterStep):
            steps.append((step.step, step.steps))

    layers = list(generator.paint_each(replace(asked, variants=2), hear))
    assert steps[:2] == [(2, 4), (4, 4)] and [len(each) for each in layers] == [1, 1]
    without_size = replace(asked, recipe=replace(recipe, width=0, height=0))
    assert generator.at_once(without_size) == 2


def test_a_fault_of_the_card_in_a_batch_is_the_same_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(*arguments: object) -> None:
        raise RuntimeError("CUDA error: unspecified launch failure")

    monkeypatch.setattr("acetate.workers.generator.run_each", failing)
    asked = Request(Recipe("text", "a cat"), variants=2)
    with pytest.raises(AcetateError, match="stopped answering while it painted"):
        list(Generator("cpu").paint_each(asked, lambda step: None))
