from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from acetate_bridge.client.address import BadAddress, Where, find_target, session_url
from acetate_bridge.client.discovery import Runtime, write_runtime


@pytest.mark.parametrize(
    ("address", "url", "local"),
    [
        ("127.0.0.1:80", "ws://127.0.0.1:80/v1/session", True),
        ("localhost:5", "ws://localhost:5/v1/session", True),
        ("[::1]:5", "ws://[::1]:5/v1/session", True),
        ("http://studio:5/", "ws://studio:5/v1/session", False),
        ("https://studio", "wss://studio/v1/session", False),
        ("wss://studio:9", "wss://studio:9/v1/session", False),
    ],
)
def test_addresses_become_sessions(address: str, url: str, local: bool) -> None:
    assert session_url(address) == (url, local)


@pytest.mark.parametrize("address", ["", "ftp://x", "http://", "x:y", "http://a@b", "x?token=1"])
def test_what_is_no_address_is_named(address: str) -> None:
    with pytest.raises(BadAddress):
        session_url(address)


def test_the_token_of_this_machine_goes_to_its_own_server_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACETATE_RUNTIME_DIR", str(tmp_path))
    assert find_target(None, None) is None
    write_runtime(Runtime(os.getpid(), "127.0.0.1", 4711, "secret", 1), tmp_path)
    found, same = find_target(None, None), find_target("127.0.0.1:4711", None)
    assert found and same and found.token == same.token == "secret"
    other = find_target("127.0.0.1:4712", None)
    assert other and other.token == ""
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    "spelled",
    [
        "localhost:4711",
        "LOCALHOST:4711",
        "localhost.:4711",
        " localhost:4711 ",
        "[::1]:4711",
        "[::ffff:127.0.0.1]:4711",
        "0.0.0.0:4711",
        "127.1:4711",
        "127.0.0.2:4711",
        "http://localhost:4711/",
        "http://localhost:4711/#x",
        "https://localhost:4711",
        "ws://127.0.0.1:4711/v1/session",
        "wss://[::1]:4711/v1/session",
        "http://localhost:4711/a/b/",
        "localhost",
        "::1",
        socket.gethostname() + ":4711",
    ],
)
def test_one_server_has_many_spellings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelled: str
) -> None:
    monkeypatch.setenv("ACETATE_RUNTIME_DIR", str(tmp_path))
    write_runtime(Runtime(os.getpid(), "127.0.0.1", 4711, "secret", 1), tmp_path)
    found = find_target(spelled, None)
    assert found and found.local
    assert (found.url, found.token) == ("ws://127.0.0.1:4711/v1/session", "secret")


@pytest.mark.parametrize("spelled", ["studio:4711", "10.0.0.7:4711", "http://localhost.evil:4711"])
def test_the_token_goes_to_no_other_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelled: str
) -> None:
    monkeypatch.setenv("ACETATE_RUNTIME_DIR", str(tmp_path))
    write_runtime(Runtime(os.getpid(), "127.0.0.1", 4711, "secret", 1), tmp_path)
    found = find_target(spelled, None)
    assert found and found.token == "" and not found.local


def test_a_token_file_is_read_anew_for_each_connection(tmp_path: Path) -> None:
    file = tmp_path / "token"
    where = Where("studio:5", token_file=str(file))
    for text in ("first-token\n", "second-token"):
        file.write_text(text)
        target = where.find()
        assert target and target.token == text.strip() and not target.local


@pytest.mark.parametrize("content", [None, "", "two\nlines", "ñ", "x" * 2000])
def test_a_token_file_without_a_token_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(BadAddress, match=str(file)):
        Where("studio:5", token_file=str(file)).find()
