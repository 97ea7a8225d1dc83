from __future__ import annotations

import compileall
import functools
import json
import os
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from acetate import __version__
from acetate.errors import CannotWrite
from acetate.plugin_install import bundle as contents
from acetate.plugin_install.bundle import EDITORS, EditorName, PluginFile
from acetate.plugin_install.install import KRITA_ACTIONS, install, installed, uninstall

plugin_files = functools.cache(contents.plugin_files)


def tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("editor", EDITORS)
def test_what_is_installed_is_uninstalled_and_nothing_else(
    editor: EditorName, tmp_path: Path
) -> None:
    folder = tmp_path / "plug-ins"
    (folder / "another").mkdir(parents=True)
    (folder / "another" / "another.py").write_text("print('mine')")
    files = plugin_files(editor)
    assert install(editor, files, folder) is None
    plugin = [file for file in files if file.path != KRITA_ACTIONS]
    assert tree(folder) == {file.path for file in plugin} | {"another/another.py"}
    assert all((folder / file.path).read_bytes() == file.data for file in plugin)
    assert tree(tmp_path / "actions") == {file.path for file in files} - {
        file.path for file in plugin
    }
    found = installed(editor, folder)
    assert found is not None and found.version == __version__
    removed = uninstall(editor, folder)
    assert removed is not None and removed.version == __version__
    assert tree(folder) == {"another/another.py"}
    assert [each.name for each in folder.iterdir()] == ["another"]
    assert tree(tmp_path / "actions") == set()
    assert installed(editor, folder) is None and uninstall(editor, folder) is None


@pytest.mark.parametrize("editor", EDITORS)
def test_an_upgrade_leaves_no_file_of_the_older_version(editor: EditorName, tmp_path: Path) -> None:
    tmp_path = tmp_path / "plug-ins"
    files = plugin_files(editor)
    package = f"acetate_{editor}"
    manifest = f"{package}/installed.json"
    old = [file for file in files if file.path != manifest]
    old = [*old, PluginFile(f"{package}/gone/old.py", b"pass\n")]
    listed = {"version": "0.0.1", "files": {file.path: "" for file in old}}
    install(editor, [*old, PluginFile(manifest, json.dumps(listed).encode())], tmp_path)
    (tmp_path / package / "notes.txt").write_text("a painter's own")
    before = install(editor, files, tmp_path)
    assert before is not None and before.version == "0.0.1"
    expected = {file.path for file in files} | {f"{package}/notes.txt"}
    assert tree(tmp_path) == expected - {KRITA_ACTIONS}
    uninstall(editor, tmp_path)
    assert tree(tmp_path) == {f"{package}/notes.txt"}


def test_compiled_files_of_ours_go_with_their_sources(tmp_path: Path) -> None:
    install("gimp", plugin_files("gimp"), tmp_path)
    cache = tmp_path / "acetate_gimp" / "acetate_bridge" / "client" / "__pycache__"
    cache.mkdir()
    (cache / "client.cpython-312.pyc").write_bytes(b"")
    uninstall("gimp", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such bit")
def test_gimp_may_start_the_plug_in(tmp_path: Path) -> None:
    install("gimp", plugin_files("gimp"), tmp_path)
    mode = (tmp_path / "acetate_gimp" / "acetate_gimp.py").stat().st_mode
    assert stat.S_IMODE(mode) == 0o755


def test_windows_has_no_modes_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("chmod on Windows")

    monkeypatch.setattr(Path, "chmod", refuse)
    install("gimp", plugin_files("gimp"), tmp_path, platform="win32")
    assert installed("gimp", tmp_path) is not None


def test_a_plug_in_without_a_manifest_is_upgraded_but_not_removed(tmp_path: Path) -> None:
    (tmp_path / "acetate_gimp").mkdir()
    (tmp_path / "acetate_gimp" / "acetate_gimp.py").write_text("# copied by hand")
    found = installed("gimp", tmp_path)
    assert found is not None and found.version == ""
    with pytest.raises(CannotWrite, match="not put there"):
        uninstall("gimp", tmp_path)
    before = install("gimp", plugin_files("gimp"), tmp_path)
    assert before is not None and before.version == ""
    assert uninstall("gimp", tmp_path) is not None and tree(tmp_path) == set()


@pytest.mark.parametrize(
    "stranger", ["../precious.txt", "another/mine.py", "acetate_gimp/../../precious.txt", "/etc/x"]
)
def test_a_manifest_does_not_lead_out_of_the_plug_in(tmp_path: Path, stranger: str) -> None:
    folder = tmp_path / "plug-ins"
    (folder / "another").mkdir(parents=True)
    (folder / "another" / "mine.py").write_text("mine")
    (tmp_path / "precious.txt").write_text("mine")
    install("gimp", plugin_files("gimp"), folder)
    manifest = folder / "acetate_gimp" / "installed.json"
    found = json.loads(manifest.read_text())
    found["files"][stranger] = ""
    manifest.write_text(json.dumps(found))
    uninstall("gimp", folder)
    assert (tmp_path / "precious.txt").exists() and (folder / "another" / "mine.py").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "plug-ins"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(CannotWrite, match="plug-ins"):
        install("gimp", plugin_files("gimp"), blocked)


def test_an_installation_that_is_cut_short_leaves_every_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = plugin_files("gimp")
    install("gimp", files, tmp_path)
    changed = [replace(file, data=file.data + b"\n") for file in files]
    moved = os.replace
    left = [20]

    def failing(source: object, target: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        moved(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "replace", lambda self, target: failing(self, target))
    with pytest.raises(CannotWrite, match="No space left"):
        install("gimp", changed, tmp_path)
    monkeypatch.undo()
    allowed = {file.path: {file.data, file.data + b"\n"} for file in files}
    assert tree(tmp_path) == set(allowed)
    assert all((tmp_path / path).read_bytes() in data for path, data in allowed.items())


@pytest.mark.parametrize("editor", EDITORS)
def test_what_was_used_upgraded_and_removed_leaves_no_folder_behind(
    editor: EditorName, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    folder = tmp_path / "resources" / "plug-ins"
    older = [*plugin_files(editor), PluginFile(f"acetate_{editor}/rooms/old.py", b"pass\n")]
    install(editor, _with_manifest(editor, older), folder)
    _use(folder)
    install(editor, plugin_files(editor), folder)
    assert not (folder / f"acetate_{editor}" / "rooms").exists()
    _use(folder)
    uninstall(editor, folder)
    assert sorted(tmp_path.rglob("*")) == [
        *before,
        tmp_path / "resources",
        *([tmp_path / "resources" / "actions"] if editor == "krita" else []),
        folder,
    ], "nothing but the folders of the editor itself"


def _with_manifest(editor: EditorName, files: list[PluginFile]) -> list[PluginFile]:
    manifest = f"acetate_{editor}/installed.json"
    listed = {"version": "0.0.1", "files": {file.path: "" for file in files}}
    others = [file for file in files if file.path != manifest]
    return [*others, PluginFile(manifest, json.dumps(listed).encode())]


def _use(folder: Path) -> None:
    """An editor compiles what it imports."""
    compileall.compile_dir(folder, quiet=1, workers=1)
