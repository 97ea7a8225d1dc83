"""Plug-ins as zip files, the same bytes from the same sources."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path, PurePosixPath

from acetate import __version__
from acetate.errors import CannotWrite
from acetate.plugin_install.bundle import EditorName, PluginFile, plugin_files
from acetate_bridge.client.paths import beside

_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_MSDOS_FOLDER = 0x10


def build(editor: EditorName, folder: Path) -> Path:
    """Write `acetate-EDITOR-VERSION.zip`; raises PluginDamaged and CannotWrite."""
    path = folder / f"acetate-{editor}-{__version__}.zip"
    data = pack(plugin_files(editor))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = beside(path)
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise CannotWrite(f"The plug-in cannot be written to {path}: {error.strerror}.") from error
    return path


def pack(files: list[PluginFile]) -> bytes:
    """A zip without times, owners or extra fields, in the order of the files.

    Folders have entries of their own: Krita's importer finds a plug-in by that of its package.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for folder in _folders(files):
            archive.writestr(_entry(f"{folder}/", 0o040755), b"")
        for file in files:
            entry = _entry(file.path, 0o100755 if file.executable else 0o100644)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.data, compresslevel=9)
    return buffer.getvalue()


def _folders(files: list[PluginFile]) -> list[PurePosixPath]:
    parents = {parent for file in files for parent in PurePosixPath(file.path).parents}
    return sorted(parents - {PurePosixPath(".")})


def _entry(name: str, mode: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system = _UNIX
    entry.external_attr = mode << 16 | (_MSDOS_FOLDER if name.endswith("/") else 0)
    return entry
