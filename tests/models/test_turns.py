"""Commands that change one list at once lose nothing of each other's."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from acetate.models import licences, own_register, turns
from acetate.models.own_register import Own, own_files, register


class Meanwhile:
    """Lets another run before the first of a module's writings, to its end or to the lock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: Any, other: Any) -> None:
        self._other, self._arrived = other, threading.Event()
        self._thread: threading.Thread | None = None
        self._lock, self._write = turns.lock_file, module.write_whole
        monkeypatch.setattr(turns, "lock_file", self._locked)
        monkeypatch.setattr(module, "write_whole", self._written)

    def join(self) -> None:
        assert self._thread is not None
        self._thread.join()

    def _run(self) -> None:
        self._other()
        self._arrived.set()

    def _locked(self, file: Any) -> bool:
        held = self._lock(file)
        if not held:
            self._arrived.set()
        return held

    def _written(self, *arguments: Any) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run)
            self._thread.start()
            self._arrived.wait()
        self._write(*arguments)


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
