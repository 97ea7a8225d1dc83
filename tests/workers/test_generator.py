from __future__ import annotations

from pathlib import Path

import pytest

from acetate.errors import AcetateError
from acetate.models.own_register import own_folder
from acetate.workers.generator import Generator, open_generator
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
