"""Editors in a sandbox find the server of the system, and say what *Start* cannot do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from acetate_bridge.client.address import find_target
from acetate_bridge.client.discovery import Runtime, write_runtime
from acetate_bridge.client.launcher import CannotStart, find_command
from acetate_bridge.client.sandbox import places_to_leave, sandbox_of

HERE = Runtime(os.getpid(), "127.0.0.1", 4711, "secret", 1, "0.1")

INSIDE = {
    "Flatpak Krita": {
        "HOME": "{home}",
        "FLATPAK_ID": "org.kde.krita",
        "XDG_DATA_HOME": "{home}/.var/app/org.kde.krita/data",
    },
    "Flatpak GIMP": {
        "HOME": "{home}",
        "FLATPAK_ID": "org.gimp.GIMP",
        "XDG_DATA_HOME": "{home}/.var/app/org.gimp.GIMP/data",
    },
    "Flatpak known by its folders": {
        "HOME": "{home}",
        "XDG_CONFIG_HOME": "{home}/.var/app/org.kde.krita/config",
    },
    "Snap": {
        "HOME": "{home}/snap/krita/104",
        "SNAP_NAME": "krita",
        "SNAP_REAL_HOME": "{home}",
        "SNAP_USER_COMMON": "{home}/snap/krita/common",
    },
    "Snap known by its home": {"HOME": "{home}/snap/gimp/x1"},
}


@pytest.fixture(params=list(INSIDE))
def inside(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The variables of a sandbox whose user lives in tmp_path."""
    named = INSIDE[request.param]
    own = {name: value.format(home=tmp_path) for name, value in named.items()}
    return {**own, "XDG_RUNTIME_DIR": str(tmp_path / "private-run")}


@pytest.fixture
def entered(inside: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name in list(os.environ):
        if name.startswith(("ACETATE_", "XDG_", "SNAP", "FLATPAK")):
            monkeypatch.delenv(name)
    for name, value in inside.items():
        monkeypatch.setenv(name, value)
    return inside


def test_the_word_below_the_home_is_found(entered: dict[str, str], tmp_path: Path) -> None:
    assert find_target(None, None) is None
    (word, *_) = places_to_leave({"HOME": str(tmp_path)}, "linux")
    write_runtime(HERE, word)
    found = find_target(None, None)
    assert found and (found.url, found.token) == ("ws://127.0.0.1:4711/v1/session", "secret")


def test_the_word_in_its_own_folder_is_found(entered: dict[str, str], tmp_path: Path) -> None:
    sandbox = sandbox_of(entered, "linux")
    assert sandbox is not None
    for app in (".var/app/org.kde.krita", ".var/app/org.gimp.GIMP", "snap/krita", "snap/gimp"):
        (tmp_path / app).mkdir(parents=True)
    for word in places_to_leave({"HOME": str(tmp_path)}, "linux")[1:]:
        write_runtime(HERE, word)
    found = find_target(None, None)
    assert found and found.token == "secret"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_a_folder_that_others_may_write_is_not_believed(
    entered: dict[str, str], tmp_path: Path
) -> None:
    (word, *_) = places_to_leave({"HOME": str(tmp_path)}, "linux")
    write_runtime(HERE, word)
    word.chmod(0o777)
    assert find_target(None, None) is None


def test_start_says_what_has_to_be_done(entered: dict[str, str]) -> None:
    with pytest.raises(CannotStart, match=r"sandbox \((Flatpak|Snap)\).*acetate serve"):
        find_command()


def test_outside_there_is_no_sandbox(tmp_path: Path) -> None:
    assert sandbox_of({"HOME": str(tmp_path)}, "linux") is None
    assert sandbox_of({"HOME": str(tmp_path), "SNAP_NAME": "krita"}, "win32") is None
    assert places_to_leave({"HOME": str(tmp_path)}, "darwin") == []
    assert places_to_leave({"HOME": str(tmp_path), "ACETATE_RUNTIME_DIR": "/x"}, "linux") == []
