"""Where a program is that an editor starts, and its environment: the user's, not the editor's.

An editor that brings its own Python and libraries (an AppImage, Krita everywhere) points at them
with variables that would break another Python.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_GONE = {
    "APPDIR",
    "APPIMAGE",
    "APPIMAGE_UUID",
    "ARGV0",
    "BABL_PATH",
    "FONTCONFIG_FILE",
    "FONTCONFIG_PATH",
    "GCONV_PATH",
    "GEGL_PATH",
    "GI_TYPELIB_PATH",
    "GSETTINGS_SCHEMA_DIR",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "LIBRARY_PATH",
    "OWD",
    "PERLLIB",
    "TCL_LIBRARY",
    "TK_LIBRARY",
}
_GONE_FAMILIES = ("DYLD_", "GDK_PIXBUF_", "GIMP3_", "GIMP2_", "GIO_", "GST_", "GTK_", "QML", "QT_")
_PYTHON_KEPT = {"PYTHONDONTWRITEBYTECODE", "PYTHONIOENCODING", "PYTHONUNBUFFERED", "PYTHONUTF8"}
_ORIGINALS = ("{}_ORIG", "APPIMAGE_ORIGINAL_{}", "APPRUN_ORIGINAL_{}", "ORIGINAL_{}")
"""Where packagers keep what a variable was before them."""


def program(
    name: str, environment: Mapping[str, str] | None = None, platform: str = sys.platform
) -> str | None:
    """The path of a program on the search path; None without one.

    The current folder is never searched, as Windows does by itself: an editor's may be that of a
    document, in which a stranger can have put a program of this name.
    """
    found = os.environ if environment is None else environment
    endings = found.get("PATHEXT", ".EXE").split(";") if platform == "win32" else [""]
    for folder in found.get("PATH", "").split(os.pathsep):
        for ending in endings if os.path.isabs(folder) else ():
            path = os.path.join(folder, name + ending)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    return None


def own_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables for a program of the system, without what leads into the editor's bundle."""
    found = dict(os.environ if environment is None else environment)
    bundle = found.get("APPDIR") or ""
    own: dict[str, str] = {}
    for name, value in found.items():
        if _is_the_editors(name):
            continue
        kept = [part for part in value.split(os.pathsep) if not _is_inside(part, bundle)]
        if kept:
            own[name] = os.pathsep.join(kept)
    for name in found:
        for original in _ORIGINALS:
            before = found.get(original.format(name), "")
            if _is_the_editors(name) and before and not _is_inside(before, bundle):
                own[name] = before
    return own


def _is_the_editors(name: str) -> bool:
    upper = name.upper()
    if upper.startswith("PYTHON"):
        return upper not in _PYTHON_KEPT
    return upper in _GONE or upper.startswith(_GONE_FAMILIES)


def _is_inside(part: str, bundle: str) -> bool:
    """Whether a path lies in the AppImage that is mounted here."""
    if not part.startswith(("/", "\\")) and part[1:2] != ":":
        return False
    pieces = Path(part).parts
    if any(piece.startswith(".mount_") for piece in pieces):
        return True
    return bool(bundle) and Path(bundle) in (Path(part), *Path(part).parents)
