"""A card that others use, too: a game, a second worker. What is free is looked at each time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from acetate.errors import AcetateError
from acetate.models.fitting import WORKING
from acetate.models.registry import model_named
from acetate.pipelines.device_faults import DeviceLost, told
from acetate.pipelines.memory_ladder import (
    Ladder,
    OutOfMemory,
    Rung,
    free_memory,
    is_out_of_memory,
    out_of_memory,
)
from acetate.pipelines.model_cache import Residents, expected_bytes
from acetate.workers.generator import Generator
from acetate_bridge.protocol.types import Recipe, Request
from tests.models.shelf import TRIPLE, fill_with_three

CARD = torch.device("cuda", 0)
GIB = 2**30
FULL = (
    "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    "HIP error: out of memory",
    "CUDA error: HIPBLAS_STATUS_ALLOC_FAILED when calling `hipblasCreate(handle)`",
    "level_zero backend failed with error: 39 (UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY)",
    "MPS backend out of memory (MPS allocated: 9.00 GiB). Tried to allocate 1.00 GiB.",
)


class Card:
    """One card as all its programs see it: who holds how many bytes."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.held: dict[str, int] = {}

    @property
    def free(self) -> int:
        return self.total - sum(self.held.values())


class Seen:
    """`torch.cuda` in one of these programs."""

    def __init__(self, card: Card, program: str = "us") -> None:
        self._card, self._program = card, program
        self.unused = 0
        """Bytes that are held, but not in use."""

    def get_device_properties(self, device: Any) -> Any:
        return SimpleNamespace(name="A card", total_memory=self._card.total)

    def mem_get_info(self, device: Any) -> tuple[int, int]:
        return self._card.free, self._card.total

    def memory_reserved(self, device: Any) -> int:
        return self._card.held.get(self._program, 0)

    def memory_allocated(self, device: Any) -> int:
        return self.memory_reserved(device) - self.unused

    def empty_cache(self) -> None:
        pass

    def device_count(self) -> int:
        return 1


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    root = tmp_path_factory.mktemp("card")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACETATE_MODELS_DIR", str(root / "models"))
        fill_with_three(root)
        yield


@pytest.mark.parametrize("words", FULL)
def test_memory_that_another_program_took_lets_the_ladder_be_climbed(words: str) -> None:
    error = RuntimeError(words)
    assert is_out_of_memory(error)
    failures = [error]
    climbed: list[str] = []
    ladder = Ladder(torch.device("cpu"), [Rung("Memory ran out: less is held.", lambda: True)])
    ladder.on_relief = climbed.append

    def work() -> str:
        if failures:
            raise failures.pop()
        return "painted"

    assert ladder.attempt(work) == "painted" and climbed == ["Memory ran out: less is held."]


def test_a_program_that_holds_the_memory_is_blamed_with_how_much_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card = Card(12 * GIB)
    card.held = {"us": 3 * GIB, "a game": 8 * GIB}
    monkeypatch.setattr(torch, "cuda", Seen(card))
    error = out_of_memory(CARD, "CUDA out of memory. Tried to allocate 2.00 GiB.")
    assert error.message == (
        "Memory ran out on cuda:0: the painting needs 2.1 GB more, and 1.1 GB are free: "
        "other programs hold 8.6 GB of it."
    )
    assert "a game or a second Acetate" in error.hint


def test_nobody_else_is_blamed_for_what_we_hold_ourselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card = Card(12 * GIB)
    card.held = {"us": 11 * GIB, "the desktop": GIB // 2}
    monkeypatch.setattr(torch, "cuda", Seen(card))
    error = out_of_memory(CARD, "CUDA out of memory. Tried to allocate 2.00 GiB.")
    assert "other programs hold" not in error.message and "Paint smaller" in error.hint


def test_what_torch_keeps_unused_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card(12 * GIB)
    card.held = {"us": 9 * GIB}
    library = Seen(card)
    library.unused = 4 * GIB
    monkeypatch.setattr(torch, "cuda", library)
    assert free_memory(CARD) == 7 * GIB


def loading_on(card: Card, program: str) -> Callable[[str], Any]:
    """Loads as a card does it: what does not fit beside all others' fails."""

    def load(model: str) -> Any:
        need = expected_bytes(model_named(model), CARD)
        if need > card.free:
            raise RuntimeError(FULL[0])
        card.held[program] = card.held.get(program, 0) + need
        # Released with the last reference, as weights are.
        return Loaded(lambda: card.held.update({program: card.held[program] - need}), need)

    return load


class Loaded:
    """As much of a pipeline as is asked for."""

    weight_form = ""

    def __init__(self, freed: Callable[[], None], need: int) -> None:
        self.modules = [nn.Linear(need // 4, 1, bias=False)]
        self._freed = freed

    def __del__(self) -> None:
        self._freed()


def test_of_two_workers_on_one_card_the_second_says_what_is_missing_and_works_later(
    shelf: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_needs, other_needs, _ = (expected_bytes(model_named(model), CARD) for model in TRIPLE)
    # The rest is another program's: of two models only one has room.
    card = Card(64 * GIB)
    card.held["a game"] = card.total - max(one_needs, other_needs) - 1
    one, two = Seen(card, "one"), Seen(card, "two")
    monkeypatch.setattr(torch, "cuda", one)
    first = Residents(CARD, 2**40, loading_on(card, "one"))
    held = first.get(TRIPLE[0])
    monkeypatch.setattr(torch, "cuda", two)
    second = Residents(CARD, 2**40, loading_on(card, "two"))
    with pytest.raises(OutOfMemory, match="other programs hold"):
        second.get(TRIPLE[1])
    # The one that came first paints on, and the second as soon as there is room.
    monkeypatch.setattr(torch, "cuda", one)
    assert first.get(TRIPLE[0]) is held
    del held
    first.release_others("")
    monkeypatch.setattr(torch, "cuda", two)
    assert second.get(TRIPLE[1]) is second.get(TRIPLE[1])


def test_what_a_game_has_taken_since_the_last_job_is_made_room_for(
    shelf: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = Card(64 * GIB)
    monkeypatch.setattr(torch, "cuda", Seen(card))
    residents = Residents(CARD, 2**40, loading_on(card, "us"))
    residents.get(TRIPLE[0])
    residents.get(TRIPLE[1])
    assert len(residents.held) == 2  # All stay, as long as the card is ours.
    card.held["a game"] = card.free - WORKING
    residents.get(TRIPLE[2])
    assert TRIPLE[0] not in residents.held and TRIPLE[2] in residents.held


def test_a_card_that_is_lost_while_a_model_is_loaded_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lost(*arguments: object) -> Any:
        raise RuntimeError("CUDA error: unspecified launch failure")

    monkeypatch.setattr("acetate.workers.generator.Residents.get", lost)
    generator = Generator("cpu")
    with pytest.raises(DeviceLost, match="stopped answering"):
        generator.paint(Request(Recipe("text", "a cat")), lambda step: None)
    (embedded, *_) = generator.announce().models
    assert embedded.state == "missing" and "stopped answering" in embedded.reason


@pytest.mark.parametrize("words", FULL)
def test_memory_that_runs_out_beside_every_ladder_is_a_sentence_too(words: str) -> None:
    with pytest.raises(OutOfMemory, match="Memory ran out on cpu"), told("cpu"):
        raise RuntimeError(words)
    with pytest.raises(RuntimeError, match="a bug") as kept, told("cpu"):
        raise RuntimeError("a bug")
    assert not isinstance(kept.value, AcetateError)
