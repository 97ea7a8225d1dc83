"""What another user of the machine has planted, swapped or opened is not followed."""

from __future__ import annotations

import json
import os
import stat
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from acetate_bridge.client.discovery import (
    RUNTIME_NAMES,
    Runtime,
    UnsafeFolder,
    make_data_folder,
    make_private,
    make_runtime_folder,
    read_runtime,
    runtime_folder,
    write_runtime,
)
from acetate_bridge.client.private_folders import check_way, read_owned, read_private

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")

HERE = Runtime(os.getpid(), "127.0.0.1", 4711, "secret", 1, "0.1")
NOBODY = 65534


def give_away(path: Path) -> None:
    """Let a path belong to another user."""
    if os.getuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write_runtime(HERE, tmp_path / "ours" / "run")
    return tmp_path / "ours" / "run"


def test_the_runtime_file_of_ones_own_is_read(run: Path) -> None:
    assert read_runtime(run) == HERE


def test_a_runtime_file_of_somebody_else_is_none(run: Path) -> None:
    give_away(run / "server.json")
    assert read_runtime(run) is None


def test_a_runtime_folder_of_somebody_else_is_none(run: Path) -> None:
    give_away(run)
    assert read_runtime(run) is None
    with pytest.raises(UnsafeFolder):
        make_runtime_folder(run, RUNTIME_NAMES)


def test_a_folder_of_somebody_else_on_the_way_is_not_passed(run: Path) -> None:
    """Its owner could swap what lies below at any moment."""
    give_away(run.parent)
    assert read_runtime(run) is None
    with pytest.raises(UnsafeFolder, match="belongs to somebody else"):
        make_runtime_folder(run, RUNTIME_NAMES)


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o666, 0o777])
def test_a_runtime_file_that_others_can_open_is_none(run: Path, mode: int) -> None:
    (run / "server.json").chmod(mode)
    assert read_runtime(run) is None


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701, 0o777])
def test_a_runtime_file_in_an_open_folder_is_none(run: Path, mode: int) -> None:
    run.chmod(mode)
    assert read_runtime(run) is None


def test_a_folder_that_others_can_write_to_is_not_passed(run: Path) -> None:
    run.parent.chmod(0o777)
    assert read_runtime(run) is None
    run.parent.chmod(0o1777)  # As /tmp: nobody can move away what is somebody else's.
    assert read_runtime(run) == HERE


def test_a_link_instead_of_the_file_or_its_folder_is_not_followed(
    run: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(run)
    assert read_runtime(tmp_path / "link") is None
    with pytest.raises(UnsafeFolder):
        make_runtime_folder(tmp_path / "link", RUNTIME_NAMES)
    other = tmp_path / "elsewhere.json"
    (run / "server.json").rename(other)
    (run / "server.json").symlink_to(other)
    assert read_runtime(run) is None


def test_a_link_of_somebody_else_on_the_way_is_not_followed(run: Path, tmp_path: Path) -> None:
    way = tmp_path / "way"
    way.symlink_to(run.parent)
    assert read_runtime(way / "run") == HERE
    give_away(way)
    assert read_runtime(way / "run") is None


def test_a_pipe_or_a_folder_in_its_place_keeps_nobody_waiting(run: Path) -> None:
    (run / "server.json").unlink()
    os.mkfifo(run / "server.json", 0o600)
    assert read_runtime(run) is None
    (run / "server.json").unlink()
    (run / "server.json").mkdir(mode=0o700)
    assert read_runtime(run) is None


def test_a_runtime_file_of_a_gigabyte_costs_none(run: Path) -> None:
    with open(run / "server.json", "r+b") as file:
        file.truncate(2**30)
    assert read_runtime(run) is None
    (run / "server.json").write_text("[" * 100_000)
    assert read_runtime(run) is None
    (run / "server.json").write_text(json.dumps({**asdict(HERE), "token": "\ud800"}))
    assert read_runtime(run) is None


def test_without_a_folder_of_the_system_the_home_is_taken_and_never_the_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    assert runtime_folder("linux", {"HOME": "/home/me"}) == Path("/home/me/.cache/acetate/run")
    given = {"HOME": "/home/me", "XDG_CACHE_HOME": "/cache"}
    assert runtime_folder("linux", given) == Path("/cache/acetate/run")


def test_the_runtime_folder_of_the_user_before_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`su` leaves XDG_RUNTIME_DIR as it was."""
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    given = {"HOME": "/home/me", "XDG_RUNTIME_DIR": str(tmp_path)}
    assert runtime_folder("linux", given) == Path("/home/me/.cache/acetate/run")


def test_somebody_elses_folder_with_other_files_is_not_closed_silently(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    (home / "letter.txt").write_text("")
    with pytest.raises(UnsafeFolder, match="letter.txt"):
        make_runtime_folder(home, RUNTIME_NAMES)
    assert stat.S_IMODE(home.stat().st_mode) == 0o755
    (home / "letter.txt").unlink()
    assert stat.S_IMODE(make_runtime_folder(home, RUNTIME_NAMES).stat().st_mode) == 0o700


def test_a_data_folder_may_be_a_link_to_another_disk_and_keeps_its_mode(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    disk.chmod(0o755)
    (tmp_path / "data").symlink_to(disk)
    assert make_data_folder(tmp_path / "data") == tmp_path / "data"
    assert stat.S_IMODE(disk.stat().st_mode) == 0o755
    assert stat.S_IMODE(make_data_folder(tmp_path / "new").stat().st_mode) == 0o700


def test_a_data_folder_that_others_own_or_write_to_is_refused(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    disk.chmod(0o777)
    with pytest.raises(UnsafeFolder, match="Other users can write"):
        make_data_folder(disk)
    disk.chmod(0o755)
    (tmp_path / "file").write_text("")
    with pytest.raises(UnsafeFolder, match="no folder"):
        make_data_folder(tmp_path / "file")
    (tmp_path / "link").symlink_to(disk)
    give_away(disk)
    for place in (disk, tmp_path / "link"):
        with pytest.raises(UnsafeFolder, match="belongs to somebody else"):
            make_data_folder(place)


def test_a_data_folder_that_others_could_swap_is_refused(tmp_path: Path) -> None:
    """Whoever can swap it reads what is written into it from then on."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    (tmp_path / "link").symlink_to(shared / "data")
    (shared / "data").mkdir(mode=0o700)
    for place in (shared / "data", tmp_path / "link"):
        with pytest.raises(UnsafeFolder, match="Other users can write to"):
            make_data_folder(place)
    shared.chmod(0o1777)
    assert make_data_folder(shared / "data") == shared / "data"


def test_a_folder_inside_may_be_a_link_of_ones_own_where_that_is_meant(tmp_path: Path) -> None:
    disk, link = tmp_path / "disk", tmp_path / "jobs"
    disk.mkdir(mode=0o755)
    link.symlink_to(disk)
    with pytest.raises(UnsafeFolder, match="is a link"):
        make_private(link)
    assert make_private(link, link=True) == link
    assert stat.S_IMODE(disk.stat().st_mode) == 0o700
    disk.rmdir()
    with pytest.raises(UnsafeFolder, match="leads nowhere"):
        make_private(link, link=True)
    disk.mkdir()
    give_away(disk)
    with pytest.raises(UnsafeFolder, match="belongs to somebody else"):
        make_private(link, link=True)


def test_a_command_that_others_could_have_written_is_not_run(tmp_path: Path) -> None:
    note = tmp_path / "installation.json"
    note.write_text("{}")
    note.chmod(0o644)
    assert read_owned(note) == "{}"
    note.chmod(0o666)
    with pytest.raises(UnsafeFolder):
        read_owned(note)
    note.chmod(0o644)
    tmp_path.chmod(0o777)
    with pytest.raises(UnsafeFolder):
        read_owned(note)


def test_relative_and_absent_folders_are_looked_at_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_way(Path("not/there/yet"))
    with pytest.raises(FileNotFoundError):
        read_private(Path("not/there/yet"))
