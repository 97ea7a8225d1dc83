from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acetate_bridge.client import launcher as launch
from acetate_bridge.client.discovery import INSTALLATION_FILE, data_folder, log_file
from acetate_bridge.client.launcher import (
    CannotStart,
    detachment,
    find_command,
    last_words,
    leave_note,
    start_server,
    update_plugin,
)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("ACETATE_COMMAND", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither links for all nor pipes")
def test_the_note_is_written_through_no_link_and_into_no_pipe(tmp_path: Path) -> None:
    leave_note([sys.executable])
    note = data_folder() / INSTALLATION_FILE
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for plant in (lambda: note.symlink_to(victim), lambda: os.mkfifo(note)):
        note.unlink()
        plant()
        leave_note([sys.executable])
        assert find_command() == [sys.executable, "serve"]
        assert victim.read_text() == "precious" and not note.is_symlink()


def test_without_an_installation_the_cure_is_named() -> None:
    with pytest.raises(CannotStart, match="pipx install acetate"):
        find_command()


def test_the_note_of_the_last_run_leads_to_the_server(tmp_path: Path) -> None:
    leave_note([sys.executable, "-m", "acetate"])
    assert find_command() == [sys.executable, "-m", "acetate", "serve"]
    leave_note([str(tmp_path / "gone")])
    with pytest.raises(CannotStart):
        find_command()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"command": 3}', '{"command": [3]}'])
def test_a_damaged_note_is_no_installation(text: str) -> None:
    leave_note([sys.executable])
    (data_folder() / "installation.json").write_text(text)
    with pytest.raises(CannotStart):
        find_command()


def test_a_wish_of_the_person_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_note([sys.executable])
    monkeypatch.setenv("ACETATE_COMMAND", "/opt/acetate")
    assert find_command() == ["/opt/acetate", "serve"]


def test_the_child_is_on_its_own_and_its_words_are_kept() -> None:
    code = "import os, sys; print(os.getsid(0) == os.getpid(), sys.stdin.read() == '')"
    child = start_server([sys.executable, "-c", code])
    assert child.wait(120) == 0
    assert log_file().read_text().strip() == "True True"


def test_a_long_log_is_put_aside() -> None:
    log_file().parent.mkdir(parents=True)
    log_file().write_bytes(bytes(5 * 2**20))
    start_server([sys.executable, "-c", ""]).wait(120)
    assert log_file().stat().st_size == 0
    assert log_file().with_suffix(".old.log").stat().st_size == 5 * 2**20


def test_a_long_log_that_another_editor_puts_aside_at_the_same_time_is_no_reason_not_to_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def replaced_by_the_other(source: Path, target: Path) -> None:
        replace(source, target)
        raise FileNotFoundError(source)

    replace = os.replace
    monkeypatch.setattr("os.replace", replaced_by_the_other)
    log_file().parent.mkdir(parents=True)
    log_file().write_bytes(bytes(5 * 2**20))
    assert start_server([sys.executable, "-c", ""]).wait(120) == 0


def test_what_cannot_be_started_says_why() -> None:
    with pytest.raises(CannotStart, match="could not be started"):
        start_server(["/nowhere/acetate", "serve"])


def test_the_last_line_of_the_log_is_what_a_server_has_to_say() -> None:
    assert last_words() == f"see {log_file()}"
    start_server([sys.executable, "-c", "print('first'); print('The disk is full.\\n')"]).wait(120)
    assert last_words() == "The disk is full."
    start_server([sys.executable, "-c", "print('long ' * 1000)"]).wait(120)
    assert 0 < len(last_words()) <= 500


def test_windows_detaches_by_flags_and_others_by_a_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: dict[str, Any] = {}

    def popen(words: list[str], **options: Any) -> None:
        seen.update(options)

    monkeypatch.setattr(launch.subprocess, "Popen", popen)
    start_server(["acetate"], "win32")
    assert seen["creationflags"] == 0x08000208 and not seen["start_new_session"]
    start_server(["acetate"], "darwin")
    assert seen["creationflags"] == 0 and seen["start_new_session"]
    assert seen["stdin"] == subprocess.DEVNULL
    assert detachment("linux") == detachment("darwin")


def test_the_note_is_plain_json() -> None:
    leave_note(["acetate"])
    found = json.loads((data_folder() / "installation.json").read_text())
    assert found == {"command": ["acetate"]}


@pytest.mark.parametrize(("status", "said"), [(0, ""), (2, "No GIMP 3 was found here.")])
def test_the_plug_in_is_updated_by_the_program_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, said: str
) -> None:
    program, told = tmp_path / "acetate", tmp_path / "told"
    program.write_text(f'#!/bin/sh\necho "$@" > {told}\necho "{said}" >&2\nexit {status}\n')
    program.chmod(0o755)
    monkeypatch.setenv("ACETATE_COMMAND", str(program))
    if status:
        with pytest.raises(CannotStart, match=said):
            update_plugin("gimp")
    else:
        update_plugin("gimp")
    assert told.read_text() == "plugins install gimp\n"
