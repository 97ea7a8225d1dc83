"""Every process gathers a file under a name of its own, and what killed ones left is taken away."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from acetate.training import whole_files
from acetate.training.whole_files import half_of, text_written_whole


def test_two_processes_that_write_one_file_do_not_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "index.json"
    other = half_of(file)
    other.write_text("half of the other's")
    monkeypatch.setattr(os, "getpid", lambda: os.getppid())
    assert text_written_whole(file, "mine").read_text() == "mine"
    assert other.read_text() == "half of the other's"


def test_what_a_killed_process_left_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.pt.12345.half").touch()
    (tmp_path / "model.pt.x.half").touch()
    (tmp_path / "other.pt.12345.half").touch()
    monkeypatch.setattr(whole_files, "process_lives", lambda _: False)
    half_of(tmp_path / "model.pt")
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["model.pt.x.half", "other.pt.12345.half"]
