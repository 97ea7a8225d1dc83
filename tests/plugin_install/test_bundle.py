"""The zips: complete, the same each time, and readable by every Python in an editor."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from acetate import __version__
from acetate.plugin_install import bundle as contents
from acetate.plugin_install.archive import build
from acetate.plugin_install.bundle import EDITORS, EditorName, PluginDamaged, plugin_files

VENDORED = {"gimp": "acetate_gimp", "krita": "acetate_krita/vendored"}


@pytest.mark.parametrize("editor", EDITORS)
def test_two_builds_are_the_same_bytes(editor: EditorName, tmp_path: Path) -> None:
    one, other = build(editor, tmp_path / "one"), build(editor, tmp_path / "other")
    assert one.name == f"acetate-{editor}-{__version__}.zip"
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("editor", EDITORS)
def test_the_bridge_and_its_dependency_are_inside_in_pure_python(editor: EditorName) -> None:
    paths = {file.path for file in plugin_files(editor)}
    place = VENDORED[editor]
    for needed in ("sync/client.py", "asyncio/client.py", "LICENSE"):
        assert f"{place}/acetate_websockets/{needed}" in paths
    assert f"{place}/acetate_bridge/messages.py" in paths
    assert f"acetate_{editor}/LICENSE" in paths
    assert not [path for path in paths if path.endswith((".so", ".pyd", ".c", ".pyc"))]
    assert not [path for path in paths if "__pycache__" in path or ".." in path]


@pytest.mark.parametrize("editor", EDITORS)
def test_every_file_is_read_by_the_oldest_python(editor: EditorName) -> None:
    for file in plugin_files(editor):
        if file.path.endswith(".py"):
            ast.parse(file.data, feature_version=(3, 10))


def test_what_the_oldest_python_cannot_read_is_not_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gimp_plugin" / "acetate_gimp"
    folder.mkdir(parents=True)
    (folder / "acetate_gimp.py").write_text("try:\n    pass\nexcept* ValueError:\n    pass\n")
    monkeypatch.setattr(contents, "_sources", lambda name: tmp_path / name)
    with pytest.raises(PluginDamaged, match="acetate_gimp.py, line.*Python 3.10"):
        plugin_files("gimp")


def test_a_plug_in_without_its_entry_is_not_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "_sources", lambda name: tmp_path)
    with pytest.raises(PluginDamaged, match="acetate_krita.desktop is missing"):
        plugin_files("krita")


def test_gimp_may_start_its_entry_and_nothing_else_is_executable(tmp_path: Path) -> None:
    with zipfile.ZipFile(build("gimp", tmp_path)) as archive:
        modes = {
            entry.filename: entry.external_attr >> 16
            for entry in archive.infolist()
            if not entry.is_dir()
        }
    assert modes.pop("acetate_gimp/acetate_gimp.py") == 0o100755
    assert set(modes.values()) == {0o100644}


def test_krita_finds_the_desktop_file_and_the_package_beside_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(build("krita", tmp_path)) as archive:
        names = archive.namelist()
        desktop = archive.read("acetate_krita.desktop").decode()
    assert "X-KDE-Library=acetate_krita" in desktop.splitlines()
    assert "acetate_krita/__init__.py" in names
    assert "acetate_krita/" in names, "Krita's importer looks for the folder's own entry"


@pytest.mark.parametrize("editor", EDITORS)
def test_the_manifest_names_every_file_with_its_hash(editor: EditorName) -> None:
    files = {file.path: file.data for file in plugin_files(editor)}
    manifest = json.loads(files.pop(f"acetate_{editor}/installed.json"))
    assert manifest["version"] == __version__
    assert manifest["files"] == {
        path: hashlib.sha256(data).hexdigest() for path, data in files.items()
    }


@pytest.mark.parametrize("editor", EDITORS)
def test_the_vendored_client_works_from_the_unpacked_zip_alone(
    editor: EditorName, tmp_path: Path
) -> None:
    with zipfile.ZipFile(build(editor, tmp_path)) as archive:
        archive.extractall(tmp_path / "plug-ins")
    place = tmp_path / "plug-ins" / VENDORED[editor]
    code = (
        f"import sys; sys.path.insert(0, {str(place)!r})\n"
        "import acetate_bridge.panel.controller\n"
        "from acetate_bridge.client.websocket import connect\n"
        f"assert sys.modules[connect.__module__].__file__.startswith({str(place)!r})\n"
        f"assert acetate_bridge.__file__.startswith({str(place)!r})\n"
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, timeout=600)


@pytest.mark.parametrize("editor", EDITORS)
def test_the_older_websockets_of_another_plug_in_does_not_disturb(
    editor: EditorName, tmp_path: Path
) -> None:
    with zipfile.ZipFile(build(editor, tmp_path)) as archive:
        archive.extractall(tmp_path / "plug-ins")
    place = tmp_path / "plug-ins" / VENDORED[editor]
    other = tmp_path / "other" / "websockets"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("__version__ = '8.1'\n")
    code = (
        f"import sys; sys.path[:0] = [{str(place)!r}, {str(other.parent)!r}]\n"
        "import websockets\n"
        "assert websockets.__version__ == '8.1'\n"
        "from acetate_bridge.client import Client\n"
        "from acetate_bridge.client.websocket import connect\n"
        "assert connect.__module__ == 'acetate_websockets.asyncio.client'\n"
        "Client('x', print).start()\n"
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, timeout=600)


def test_the_plug_ins_are_in_the_checkout() -> None:
    assert importlib.util.find_spec("acetate.plugin_install") is not None
    assert contents._sources("gimp_plugin").is_dir() and contents._sources("krita_plugin").is_dir()
