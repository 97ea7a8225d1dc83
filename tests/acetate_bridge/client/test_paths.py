"""Files are replaced as a whole, however many write them at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from acetate_bridge.client.paths import write_whole
from acetate_bridge.client.private_folders import write_private


@pytest.mark.parametrize("write", [write_whole, write_private])
def test_two_who_write_the_same_file_at_once_do_not_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: object
) -> None:
    replace, others = os.replace, ["the second, which is longer"]

    def replace_later(source: Path, target: Path) -> None:
        if others:
            write(target, others.pop())  # type: ignore[operator]
        replace(source, target)

    monkeypatch.setattr(os, "replace", replace_later)
    write(tmp_path / "file", "the first")  # type: ignore[operator]
    assert (tmp_path / "file").read_text() == "the first"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
