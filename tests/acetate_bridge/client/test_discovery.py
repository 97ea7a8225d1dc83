from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from acetate_bridge.client import discovery
from acetate_bridge.client.discovery import (
    Runtime,
    UnsafeFolder,
    data_folder,
    make_private,
    process_lives,
    read_runtime,
    remove_runtime,
    runtime_folder,
    write_private,
    write_runtime,
)

HERE = Runtime(os.getpid(), "127.0.0.1", 4711, "secret", 1, "0.1")


def test_what_a_server_leaves_is_what_an_editor_finds(tmp_path: Path) -> None:
    write_runtime(HERE, tmp_path / "run")
    assert read_runtime(tmp_path / "run") == HERE
    remove_runtime(HERE.pid + 1, tmp_path / "run")
    assert read_runtime(tmp_path / "run") == HERE
    remove_runtime(HERE.pid, tmp_path / "run")
    assert read_runtime(tmp_path / "run") is None


def test_a_stale_runtime_file_is_no_server(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    stale = Runtime(ended.pid, "127.0.0.1", 4711, "secret", 1)
    write_runtime(stale, tmp_path)
    assert read_runtime(tmp_path) is None
    assert read_runtime(tmp_path, any_process=True) == stale


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": "1"}', "\xff"])
def test_a_damaged_runtime_file_is_no_server(tmp_path: Path, text: str) -> None:
    (tmp_path / "server.json").write_text(text, encoding="latin-1")
    assert read_runtime(tmp_path) is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_secrets_are_private_from_their_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    replace = os.replace

    def look(source: Path, target: Path) -> None:
        modes.append(stat.S_IMODE(os.stat(source).st_mode))
        replace(source, target)

    monkeypatch.setattr(discovery.os, "replace", look)
    old = os.umask(0)
    try:
        file = write_runtime(HERE, tmp_path / "a" / "b")
    finally:
        os.umask(old)
    assert modes == [0o600] and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_a_folder_that_is_open_to_others_is_closed_and_a_link_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    assert stat.S_IMODE(make_private(folder).stat().st_mode) == 0o700
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(UnsafeFolder, match="is a link"):
        make_private(tmp_path / "link")


def test_a_planted_temporary_file_does_not_receive_the_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = tmp_path / ".server.json.guessed"
    monkeypatch.setattr("acetate_bridge.client.private_folders.beside", lambda path: planted)
    victim = tmp_path / "victim"
    victim.write_text("before")
    planted.symlink_to(victim)
    with pytest.raises(FileExistsError):
        write_private(tmp_path / "server.json", "secret")
    assert victim.read_text() == "before"


WINDOWS = {"LOCALAPPDATA": "C:/Users/me/AppData/Local", "USERPROFILE": "C:/Users/me"}


def test_each_system_has_its_own_folders() -> None:
    home = {"HOME": "/home/me"}
    assert data_folder("linux", home) == Path("/home/me/.local/share/acetate")
    assert data_folder("linux", {**home, "XDG_DATA_HOME": "/data"}) == Path("/data/acetate")
    assert runtime_folder("linux", {"XDG_RUNTIME_DIR": "/run/user/5"}) == Path(
        "/run/user/5/acetate"
    )
    assert data_folder("darwin", home) == Path("/home/me/Library/Application Support/acetate")
    assert runtime_folder("darwin", home) == Path("/home/me/Library/Caches/TemporaryItems/acetate")
    local = Path(WINDOWS["LOCALAPPDATA"])
    assert data_folder("win32", WINDOWS) == local / "acetate"
    assert runtime_folder("win32", WINDOWS) == local / "Temp" / "acetate"
    assert runtime_folder("win32", {"USERPROFILE": "C:/Users/me"}) == local / "Temp" / "acetate"
    assert runtime_folder("darwin", {"ACETATE_RUNTIME_DIR": "/x"}) == Path("/x")
    assert data_folder("win32", {"ACETATE_DATA_DIR": "/x"}) == Path("/x")


def test_the_folders_are_those_of_the_systems_own_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    run.mkdir(mode=0o700)
    monkeypatch.delenv("ACETATE_RUNTIME_DIR", raising=False)
    monkeypatch.delenv("ACETATE_DATA_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(run))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    if sys.platform == "linux":
        # platformdirs accepts the folder only below parents that no other user can write to.
        assert runtime_folder() == run / "acetate"
        assert data_folder() == Path(platformdirs.user_data_dir("acetate"))
    from platformdirs.macos import MacOS

    monkeypatch.delenv("XDG_RUNTIME_DIR")
    mac = MacOS("acetate")
    assert str(runtime_folder("darwin", os.environ)) == mac.user_runtime_dir
    assert str(data_folder("darwin", os.environ)) == mac.user_data_dir


def test_processes_that_live_and_those_that_do_not() -> None:
    assert process_lives(os.getpid()) and not process_lives(-1) and not process_lives(0)


def test_windows_never_signals_a_process_to_look_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(pid: int, number: int) -> None:
        raise AssertionError("signal 0 ends a process on Windows")

    class Kernel:
        def OpenProcess(self, access: int, inherit: bool, pid: int) -> int:  # noqa: N802
            return 7 if pid == 5 else 0

        def GetExitCodeProcess(self, handle: int, code: object) -> int:  # noqa: N802
            code._obj.value = 259  # type: ignore[attr-defined]
            return 1

        def CloseHandle(self, handle: int) -> None:  # noqa: N802
            assert handle == 7

    import ctypes

    monkeypatch.setattr(discovery.os, "kill", kill)
    monkeypatch.setattr(ctypes, "WinDLL", lambda name: Kernel(), raising=False)
    assert process_lives(5, "win32") and not process_lives(6, "win32")


def test_windows_folders_need_no_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "getuid", raising=False)
    assert make_private(tmp_path / "new", "win32").is_dir()


def test_an_ipv6_server_has_brackets_in_its_address() -> None:
    assert Runtime(1, "::1", 80, "t", 1).address == "[::1]:80"
    assert "secret" not in repr(HERE)
