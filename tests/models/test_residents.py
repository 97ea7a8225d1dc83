from __future__ import annotations

import gc
import os
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from acetate.errors import BadRequest
from acetate.models.registry import model_named
from acetate.models.shipped import EMBEDDED
from acetate.pipelines.loading import load_pipeline
from acetate.pipelines.memory_ladder import OutOfMemory
from acetate.pipelines.model_cache import (
    Residents,
    default_budget,
    expected_bytes,
    weight_bytes,
    weights_of,
)
from acetate.pipelines.pipeline import Pipeline
from tests.models.shelf import TRIPLE, fill_with_three

CPU = torch.device("cpu")
MARGIN = 2**20
"""Bytes over the budget that are allowed: buffers and what a loader has not yet handed over."""


@pytest.fixture(scope="module", autouse=True)
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    root = tmp_path_factory.mktemp("residents")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACETATE_MODELS_DIR", str(root / "models"))
        fill_with_three(root)
        yield


def alive() -> int:
    """Bytes of every weight that anything still holds, each storage counted once."""
    gc.collect()
    found = {
        each.untyped_storage().data_ptr(): each.untyped_storage().nbytes()
        for each in gc.get_objects()
        if issubclass(type(each), torch.nn.Parameter) and each.device.type == "cpu"
    }
    return sum(found.values())


def test_what_a_model_will_take_is_known_before_it_is_loaded() -> None:
    for model in (*TRIPLE, EMBEDDED):
        expected = expected_bytes(model_named(model), CPU)
        taken = weight_bytes(load_pipeline(model, "cpu").modules)
        assert abs(expected - taken) < MARGIN, model


def test_switching_between_three_models_never_exceeds_the_budget() -> None:
    sizes = [expected_bytes(model_named(model), CPU) for model in TRIPLE]
    budget = max(sizes) + min(sizes) + MARGIN // 2
    before, peaks = alive(), []

    def load(model: str) -> Pipeline:
        pipeline = load_pipeline(model, "cpu")
        peaks.append(alive() - before)
        return pipeline

    residents = Residents(CPU, budget, load)
    for model in (*TRIPLE, *reversed(TRIPLE), *TRIPLE):
        assert residents.get(model).model == model
        assert sum(residents.held.values()) <= budget
        peaks.append(alive() - before)
    assert len(residents.held) < 3
    assert max(peaks) <= budget + MARGIN
    assert max(peaks) > max(sizes)
    print(f"budget {budget}, highest {max(peaks)}, sizes {sizes}")


def test_the_model_that_was_used_last_stays() -> None:
    residents = Residents(CPU, 2**40)
    first = residents.get(TRIPLE[0])
    residents.get(TRIPLE[1])
    assert residents.get(TRIPLE[0]) is first
    assert list(residents.held) == [TRIPLE[1], TRIPLE[0]]
    third = expected_bytes(model_named(TRIPLE[2]), CPU)
    residents.budget = residents.held[TRIPLE[0]] + third + MARGIN // 2
    residents.get(TRIPLE[2])
    assert TRIPLE[0] in residents.held and TRIPLE[1] not in residents.held


def test_a_model_that_leaves_is_gone() -> None:
    residents = Residents(CPU, 1)
    left = weakref.ref(residents.get(TRIPLE[0]))
    residents.get(TRIPLE[1])
    assert left() is None


def test_a_model_whose_file_was_exchanged_is_loaded_anew() -> None:
    residents = Residents(CPU, 2**40)
    first = weakref.ref(residents.get(TRIPLE[0]))
    assert residents.get(TRIPLE[0]) is first()
    os.utime(weights_of(model_named(TRIPLE[0]))[0], (1, 1))
    again = residents.get(TRIPLE[0])
    assert first() is None and residents.get(TRIPLE[0]) is again


def test_a_recipe_has_its_form_of_weights_and_the_next_one_the_free_choice() -> None:
    residents = Residents(CPU, 2**40)
    plain = residents.get(TRIPLE[0])
    assert residents.get(TRIPLE[0], "16") is plain
    small = residents.get(TRIPLE[0], "4")
    assert small.weight_form == "4" and residents.get(TRIPLE[0], "4") is small
    again = residents.get(TRIPLE[0])
    assert again.weight_form == "" and again is not small
    shipped = residents.get(EMBEDDED, "4")  # It cannot be kept so, and is not loaded each time.
    assert residents.get(EMBEDDED, "4") is shipped is residents.get(EMBEDDED)


def test_loading_that_runs_out_of_memory_is_tried_with_all_others_gone() -> None:
    failures = [torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 64.00 MiB.")]

    def load(model: str) -> Any:
        if model == TRIPLE[1] and failures:
            raise failures.pop()
        return load_pipeline(model, "cpu")

    residents = Residents(CPU, 2**40, load)
    residents.get(TRIPLE[0])
    residents.get(TRIPLE[1])
    assert list(residents.held) == [TRIPLE[1]]
    failures += [torch.OutOfMemoryError("Tried to allocate 64.00 MiB.") for _ in range(2)]
    del residents._held[TRIPLE[1]]
    residents.get(TRIPLE[0])
    with pytest.raises(OutOfMemory, match=r"needs 0\.1 GB more|needs 67\.1 MB more"):
        residents.get(TRIPLE[1])
    assert residents.get(TRIPLE[2]).model == TRIPLE[2]


def test_the_budget_is_a_number_of_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_MEMORY_BUDGET", "2.5")
    assert default_budget(CPU) == 2_500_000_000
    monkeypatch.setenv("ACETATE_MEMORY_BUDGET", "much")
    with pytest.raises(BadRequest, match="a number of gigabytes"):
        default_budget(CPU)
