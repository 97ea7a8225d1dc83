"""Commands that change one list at once lose nothing of each other's."""

from __future__ import annotations

from pathlib import Path

import pytest

from acetate.models import licences, own_register, turns
from acetate.models.own_register import Own, own_files, register
from tests.support.meanwhile import Meanwhile


def own(name: str) -> Own:
    return Own(name, "style", ("sd15",), "0" * 64, "/somewhere")


def test_two_imports_at_once_are_both_on_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "models"))
    other = Meanwhile(monkeypatch, own_register, lambda: register(own("second")))
    register(own("first"))
    other.join()
    assert {each.name for each in own_files()} == {"first", "second"}


def test_two_acceptances_at_once_are_both_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Meanwhile(monkeypatch, licences, lambda: licences.accept(["mit"]))
    licences.accept(["apache-2.0"])
    other.join()
    assert licences._read() == ["apache-2.0", "mit"]  # pyright: ignore[reportPrivateUsage]


def test_without_a_place_for_locks_the_list_is_changed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(turns, "user_cache_path", lambda _: tmp_path / "file")
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "models"))
    register(own("first"))
    assert [each.name for each in own_files()] == ["first"]
