"""Putting a plug-in into an editor's folder, over an older one, and taking exactly it out again."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from acetate.errors import CannotWrite
from acetate.plugin_install.bundle import LAYOUTS, MANIFEST, EditorName, PluginFile
from acetate_bridge.client.paths import beside, read_bounded
from acetate_bridge.protocol.json_text import read_json

_CACHE = "__pycache__"
KRITA_ACTIONS = "acetate_krita.action"
"""Names and shortcuts of the actions, which Krita's own importer takes from the zip's root."""


@dataclass(frozen=True)
class Installed:
    """What lies in a folder: its version, and its files as paths under the folder."""

    version: str
    files: list[str] = field(default_factory=list[str])


def installed(editor: EditorName, folder: Path) -> Installed | None:
    """The plug-in in this folder; None without one, an empty version when it has no manifest."""
    layout = LAYOUTS[editor]
    try:
        found = read_json(read_bounded(folder / layout.package / MANIFEST))
        files = [
            path for path in found["files"] if isinstance(path, str) and _is_ours(path, editor)
        ]
        return Installed(str(found["version"]), [*files, f"{layout.package}/{MANIFEST}"])
    except (OSError, ValueError, KeyError, TypeError):
        return Installed("") if (folder / layout.entry).is_file() else None


def install(
    editor: EditorName, files: list[PluginFile], folder: Path, platform: str = sys.platform
) -> Installed | None:
    """Write the files, each whole or not at all; returns what was there before.

    Files of the older version that the new one has not are removed; a stranger's file stays.
    Raises CannotWrite.
    """
    before = installed(editor, folder)
    manifest = f"{LAYOUTS[editor].package}/{MANIFEST}"
    # The manifest last: an installation that was cut short is known by the older one.
    ordered = sorted(files, key=lambda file: file.path == manifest)
    try:
        for file in ordered:
            _write(_place(folder, file.path), file, platform)
    except OSError as error:
        raise CannotWrite(
            f"The plug-in cannot be written to {folder}: {error.strerror}."
        ) from error
    new = {file.path for file in files}
    if before is not None:
        _remove(folder, [path for path in before.files if path not in new])
    return before


def uninstall(editor: EditorName, folder: Path) -> Installed | None:
    """Remove what was installed and nothing else; returns it. Raises CannotWrite."""
    before = installed(editor, folder)
    if before is None:
        return None
    if not before.files:
        package = folder / LAYOUTS[editor].package
        raise CannotWrite(
            f"The plug-in in {package} was not put there by Acetate.", "Remove the folder yourself."
        )
    try:
        _remove(folder, before.files)
    except OSError as error:
        raise CannotWrite(f"{folder} cannot be changed: {error.strerror}.") from error
    return before


def _write(path: Path, file: PluginFile, platform: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside(path)
    try:
        temporary.write_bytes(file.data)
        if platform != "win32":
            temporary.chmod(0o755 if file.executable else 0o644)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _remove(folder: Path, paths: list[str]) -> None:
    parents: set[Path] = set()
    for path in paths:
        file = _place(folder, path)
        file.unlink(missing_ok=True)
        for compiled in (file.parent / _CACHE).glob(f"{file.stem}.*.pyc"):
            compiled.unlink()
        if path == KRITA_ACTIONS:
            continue
        inside = PurePosixPath(path).parents
        parents.update(folder / parent for parent in inside if parent != PurePosixPath("."))
        parents.add(file.parent / _CACHE)
    parents.discard(folder / _CACHE)
    for parent in sorted(parents, key=lambda each: len(each.parts), reverse=True):
        with contextlib.suppress(OSError):  # Something else lies in it, or it is not there.
            parent.rmdir()


def _is_ours(path: str, editor: EditorName) -> bool:
    """A manifest is a file that anybody may edit: it must not lead out of the plug-in."""
    parts = PurePosixPath(path).parts
    layout = LAYOUTS[editor]
    single = path == layout.entry or (editor == "krita" and path == KRITA_ACTIONS)
    return ".." not in parts and (parts[0] == layout.package or single)


def _place(folder: Path, path: str) -> Path:
    """Where a file goes: Krita reads shortcuts from `actions`, beside its folder of plug-ins."""
    return folder.parent / "actions" / path if path == KRITA_ACTIONS else folder / path
