"""Where the editors look, on faked systems."""

from __future__ import annotations

from pathlib import Path

import pytest

from acetate.plugin_install.bundle import EditorName
from acetate.plugin_install.editor_folders import places

CASES: list[tuple[EditorName, str, str, str, str]] = [
    ("gimp", "linux", ".config/GIMP/3.0", ".config/GIMP/3.0/plug-ins", "GIMP 3.0"),
    ("gimp", "linux", ".config/GIMP/3.2", ".config/GIMP/3.2/plug-ins", "GIMP 3.2"),
    (
        "gimp",
        "linux",
        ".var/app/org.gimp.GIMP/config/GIMP/3.2",
        ".var/app/org.gimp.GIMP/config/GIMP/3.2/plug-ins",
        "GIMP 3.2 (Flatpak)",
    ),
    ("gimp", "win32", "Roaming/GIMP/3.0", "Roaming/GIMP/3.0/plug-ins", "GIMP 3.0"),
    (
        "gimp",
        "darwin",
        "Library/Application Support/GIMP/3.2",
        "Library/Application Support/GIMP/3.2/plug-ins",
        "GIMP 3.2",
    ),
    ("krita", "linux", ".local/share/krita", ".local/share/krita/pykrita", "Krita"),
    (
        "krita",
        "linux",
        ".var/app/org.kde.krita/data/krita",
        ".var/app/org.kde.krita/data/krita/pykrita",
        "Krita (Flatpak)",
    ),
    ("krita", "win32", "Roaming/krita", "Roaming/krita/pykrita", "Krita"),
    (
        "krita",
        "darwin",
        "Library/Application Support/krita",
        "Library/Application Support/krita/pykrita",
        "Krita",
    ),
]
SETTINGS = {
    ("linux", "Krita"): ".config/kritarc",
    ("linux", "Krita (Flatpak)"): ".var/app/org.kde.krita/config/kritarc",
    ("win32", "Krita"): "Local/kritarc",
    ("darwin", "Krita"): "Library/Preferences/kritarc",
}


def environment(home: Path, platform: str) -> dict[str, str]:
    if platform != "win32":
        return {"HOME": str(home)}
    return {
        "USERPROFILE": str(home),
        "APPDATA": str(home / "Roaming"),
        "LOCALAPPDATA": str(home / "Local"),
    }


@pytest.mark.parametrize(("editor", "platform", "there", "expected", "words"), CASES)
def test_an_editor_that_was_started_is_found(
    tmp_path: Path, editor: EditorName, platform: str, there: str, expected: str, words: str
) -> None:
    (tmp_path / there).mkdir(parents=True)
    (place,) = places(editor, platform, environment(tmp_path, platform))
    assert place.folder == tmp_path / expected and place.words == words
    if editor == "krita":
        assert place.kritarc == tmp_path / SETTINGS[platform, words]


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_nothing_is_found_where_nothing_was_started(tmp_path: Path, platform: str) -> None:
    for editor in ("gimp", "krita"):
        assert places(editor, platform, environment(tmp_path, platform)) == []


def test_folders_that_the_person_has_moved_are_found(tmp_path: Path) -> None:
    chosen = {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "c"),
        "XDG_DATA_HOME": str(tmp_path / "d"),
    }
    (tmp_path / "c" / "GIMP" / "3.2").mkdir(parents=True)
    (tmp_path / "d" / "krita").mkdir(parents=True)
    assert places("gimp", "linux", chosen)[0].folder == tmp_path / "c/GIMP/3.2/plug-ins"
    (krita,) = places("krita", "linux", chosen)
    assert krita.folder == tmp_path / "d/krita/pykrita" and krita.kritarc == tmp_path / "c/kritarc"


def test_other_versions_of_gimp_are_left_alone(tmp_path: Path) -> None:
    for version in ("2.10", "2.99", "3.0", "3.2", "3.99", "backup"):
        (tmp_path / ".config" / "GIMP" / version).mkdir(parents=True)
    (tmp_path / ".config" / "GIMP" / "3.1").write_text("a file")
    found = places("gimp", "linux", {"HOME": str(tmp_path)})
    assert [place.words for place in found] == ["GIMP 3.0", "GIMP 3.2"]
