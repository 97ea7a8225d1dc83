"""What a plug-in is made of: its own files, the bridge, and the bridge's one dependency."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import acetate_bridge
from acetate import __version__
from acetate.errors import AcetateError

EditorName = Literal["gimp", "krita"]
EDITORS: tuple[EditorName, ...] = ("gimp", "krita")

MANIFEST = "installed.json"
OLDEST_PYTHON = (3, 10)
WEBSOCKETS = "acetate_websockets"
"""Name of the bundled copy of `websockets`, as `acetate_bridge.client.websocket` knows it."""


class PluginDamaged(AcetateError):
    """The sources of a plug-in are not complete, or too new for the editors' Python."""

    code = "plugin_damaged"


@dataclass(frozen=True)
class PluginFile:
    """A file by its place under the folder where the editor looks for plug-ins."""

    path: str
    data: bytes
    executable: bool = False


@dataclass(frozen=True)
class Layout:
    """`package` is the plug-in's folder, `vendored` where the bridge lies in it."""

    package: str
    sources: str
    vendored: str
    entry: str


LAYOUTS: dict[EditorName, Layout] = {
    "gimp": Layout("acetate_gimp", "gimp_plugin", "acetate_gimp", "acetate_gimp/acetate_gimp.py"),
    "krita": Layout(
        "acetate_krita", "krita_plugin", "acetate_krita/vendored", "acetate_krita.desktop"
    ),
}


def plugin_files(editor: EditorName) -> list[PluginFile]:
    """All files of a plug-in, sorted by path, with a manifest of them. Raises PluginDamaged."""
    layout = LAYOUTS[editor]
    files = {
        path: PluginFile(path, data, path == layout.entry and editor == "gimp")
        for path, data in _parts(layout)
    }
    if layout.entry not in files:
        raise PluginDamaged(f"The plug-in for {editor} is not complete: {layout.entry} is missing.")
    for file in files.values():
        _check_syntax(file)
    manifest = f"{layout.package}/{MANIFEST}"
    files[manifest] = PluginFile(manifest, _manifest(list(files.values())))
    return [files[path] for path in sorted(files)]


def _parts(layout: Layout) -> Iterator[tuple[str, bytes]]:
    yield from _tree(_sources(layout.sources), PurePosixPath())
    bridge = Path(acetate_bridge.__file__).parent
    yield from _tree(bridge, PurePosixPath(layout.vendored, "acetate_bridge"))
    yield from _websockets(PurePosixPath(layout.vendored))
    yield f"{layout.package}/LICENSE", _licence()


def _sources(name: str) -> Path:
    """The plug-in's folder: beside this module in an installed wheel, else in the checkout."""
    installed = Path(__file__).parent / "sources" / name
    folder = installed if installed.is_dir() else Path(__file__).parents[3] / name
    if not folder.is_dir():
        raise PluginDamaged(
            f"This installation has no {name}.",
            "Install Acetate again: pipx reinstall acetate",
        )
    return folder


def _tree(folder: Path, place: PurePosixPath) -> Iterator[tuple[str, bytes]]:
    for file in folder.rglob("*"):
        inside = file.relative_to(folder)
        hidden = any(part.startswith((".", "__pycache__")) for part in inside.parts)
        if file.is_file() and not hidden and file.suffix != ".pyc":
            yield str(place / PurePosixPath(*inside.parts)), file.read_bytes()


def _websockets(place: PurePosixPath) -> Iterator[tuple[str, bytes]]:
    """The pure Python part: editors bring Pythons of many versions, and compiled code fits one.

    Its modules name each other relatively, so it works under another name: one that no other
    plug-in of the editor takes.
    """
    distribution = importlib.metadata.distribution("websockets")
    for file in distribution.files or ():
        path = PurePosixPath(file.as_posix())
        if path.parts[0] == "websockets" and path.suffix in (".py", ".typed"):
            yield (
                str(place.joinpath(WEBSOCKETS, *path.parts[1:])),
                Path(str(distribution.locate_file(file))).read_bytes(),
            )
        elif path.name == "LICENSE" and path.parts[0].endswith(".dist-info"):
            licence = Path(str(distribution.locate_file(file))).read_bytes()
            yield str(place / WEBSOCKETS / "LICENSE"), licence


def _licence() -> bytes:
    checkout = Path(__file__).parents[3] / "LICENSE"
    if (checkout.parent / "pyproject.toml").is_file() and checkout.is_file():
        return checkout.read_bytes()
    distribution = importlib.metadata.distribution("acetate")
    for file in distribution.files or ():
        if file.name == "LICENSE" and ".dist-info" in file.as_posix():
            return Path(str(distribution.locate_file(file))).read_bytes()
    raise PluginDamaged("This installation has no licence file.", "Install Acetate again.")


def _check_syntax(file: PluginFile) -> None:
    if not file.path.endswith(".py"):
        return
    try:
        ast.parse(file.data, file.path, feature_version=OLDEST_PYTHON)
    except SyntaxError as error:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        raise PluginDamaged(
            f"{file.path}, line {error.lineno}, cannot be read by Python {oldest}: {error.msg}."
        ) from error


def _manifest(files: list[PluginFile]) -> bytes:
    digests = {file.path: hashlib.sha256(file.data).hexdigest() for file in files}
    found = {"version": __version__, "files": dict(sorted(digests.items()))}
    return (json.dumps(found, indent=1) + "\n").encode()
