"""The token in a file: of two servers that start at once both know the same one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from acetate.cli import serve
from acetate_bridge.client.private_folders import write_private

OTHERS = "the-other-server-was-first-" * 2


def link_nowhere(*_: Any) -> None:
    raise PermissionError("This disk knows no links.")


@pytest.mark.parametrize("links", [True, False], ids=["links", "a disk without links"])
def test_whoever_is_second_takes_the_token_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def second(path: Path, text: str, **options: Any) -> None:
        write_private(path, OTHERS)
        write_private(path, text, **options)

    if not links:
        monkeypatch.setattr(os, "link", link_nowhere)
    monkeypatch.setattr(serve, "write_private", second)
    file = tmp_path / "token"
    assert serve.token_in(file) == OTHERS
    assert file.read_text() == OTHERS and list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("links", [True, False], ids=["links", "a disk without links"])
def test_a_token_is_written_once_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", link_nowhere)
    file = tmp_path / "kept" / "token"
    token = serve.token_in(file)
    assert file.read_text().strip() == token == serve.token_in(file)
    assert file.stat().st_mode & 0o077 == 0 and list(file.parent.iterdir()) == [file]
