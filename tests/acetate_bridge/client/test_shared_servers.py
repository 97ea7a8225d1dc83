"""Servers that are paired at the same time, by two editors or an editor and a command."""

from __future__ import annotations

from pathlib import Path

import pytest

from acetate_bridge.client import file_locks, shared_servers
from acetate_bridge.client.shared_servers import SharedServer, forget, known_servers, remember
from tests.support.meanwhile import Meanwhile


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_CONFIG_DIR", str(tmp_path / "config"))


def server(name: str) -> SharedServer:
    return SharedServer(f"certificate of {name}", f"token of {name}")


def test_two_pairings_at_once_are_both_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    remember("old:1", server("old"))
    other = Meanwhile(
        monkeypatch, shared_servers, lambda: remember("b:1", server("b")), "write_private"
    )
    remember("a:1", server("a"))
    other.join()
    assert known_servers() == {
        "old:1": server("old"),
        "a:1": server("a"),
        "b:1": server("b"),
    }


def test_a_first_pairing_at_once_with_another_sets_nothing_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Meanwhile(
        monkeypatch, shared_servers, lambda: remember("b:1", server("b")), "write_private"
    )
    remember("a:1", server("a"))
    other.join()
    assert set(known_servers()) == {"a:1", "b:1"}
    assert not list(tmp_path.rglob("*.old"))


def test_forgetting_one_at_once_with_a_pairing_keeps_the_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    remember("old:1", server("old"))
    other = Meanwhile(
        monkeypatch, shared_servers, lambda: remember("b:1", server("b")), "write_private"
    )
    assert forget("old:1") and not forget("old:1")
    other.join()
    assert known_servers() == {"b:1": server("b")}


def test_where_there_are_no_locks_a_server_is_kept_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none(place: Path) -> None:
        raise OSError(f"no locks at {place}")

    monkeypatch.setattr(shared_servers, "held", none)
    remember("a:1", server("a"))
    assert known_servers() == {"a:1": server("a")}


def test_a_lock_that_nobody_lets_go_of_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_locks, "_PATIENCE", 0.0)
    with file_locks.held(tmp_path / "lock"), file_locks.held(tmp_path / "lock"):
        pass
