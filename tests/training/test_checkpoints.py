"""Checkpoints that cannot be written say why, and leave the one before."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from acetate.errors import CannotWrite
from acetate.training.checkpoints import read_checkpoint, write_checkpoint
from acetate.training.whole_files import written_whole


@contextmanager
def files_at_most(size: int) -> Iterator[None]:
    """The disk ends there, as far as a single file can tell."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_wherever_the_disk_ends_the_system_is_quoted_and_the_checkpoint_of_before_is_whole(
    tmp_path: Path,
) -> None:
    file = tmp_path / "model.pt"
    state = {"weights": {str(number): torch.zeros(50) for number in range(8)}}
    write_checkpoint(file, {"step": 1, **state})
    size = file.stat().st_size
    for room in [*range(0, size, 97), size - 1]:
        with files_at_most(room), pytest.raises(CannotWrite, match=r"pt: file too large\.$") as e:
            write_checkpoint(file, {"step": 2, **state})
        assert "The one before it is whole" in e.value.hint
        found = read_checkpoint(file)
        assert found is not None and found["step"] == 1
        assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]


def test_without_a_checkpoint_of_before_none_is_promised(tmp_path: Path) -> None:
    with files_at_most(100), pytest.raises(CannotWrite) as error:
        write_checkpoint(tmp_path / "model.pt", {"step": 1})
    assert "before" not in error.value.hint and "Make room" in error.value.hint
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told_in_the_words_of_the_system_by_safetensors_too(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    state = {"weight": torch.zeros(5000)}
    with files_at_most(8000), pytest.raises(CannotWrite, match=r"file too large\.$") as error:
        written_whole(tmp_path / "a.safetensors", lambda part: save_file(state, part))
    assert "Make room" in error.value.hint
    assert not list(tmp_path.iterdir())
