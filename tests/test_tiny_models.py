"""Copies of tiny models are what their writers write, and belong to one test alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl
from tests.support.written_once import written_once


def contents(folder: Path) -> dict[Path, str]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }


@pytest.mark.parametrize("write", [write_tiny_sd15, write_tiny_sdxl], ids=lambda it: it.__name__)
def test_a_copy_is_what_is_written_anew_whatever_was_drawn_before(
    write: Callable[[Path], Path], tmp_path: Path
) -> None:
    anew: Any = write
    found: list[object] = []
    for number, kind in enumerate((write, anew.__wrapped__)):
        torch.manual_seed(number)
        folder = tmp_path / str(number)
        assert kind(folder) == folder
        found.append((contents(folder), torch.rand(1).item()))
    assert found[0] == found[1]
    assert len(contents(tmp_path / "0")) > 10


def test_a_change_to_one_copy_is_not_found_in_the_next_and_it_is_made_once(tmp_path: Path) -> None:
    times: list[Path] = []

    @written_once
    def write_small(folder: Path) -> Path:
        times.append(folder)
        torch.manual_seed(3)
        (folder / "unet").mkdir(parents=True)
        (folder / "unet/weights").write_bytes(b"weights")
        return folder

    first = write_small(tmp_path / "first")
    (first / "unet/weights").write_bytes(b"damaged")
    (first / "more.json").write_bytes(b"{}")
    torch.manual_seed(4)
    second = write_small(tmp_path / "deep/second")
    assert [path.name for path in second.rglob("*") if path.is_file()] == ["weights"]
    assert (second / "unet/weights").read_bytes() == b"weights"
    assert torch.initial_seed() == 3
    with pytest.raises(FileExistsError):
        write_small(second)
    assert len(times) == 1
