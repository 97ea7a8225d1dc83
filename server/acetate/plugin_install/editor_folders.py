"""Where GIMP and Krita look for plug-ins, on each system and in each packaging."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from acetate.plugin_install.bundle import EditorName

_GIMP_VERSION = re.compile(r"3\.(\d+)")
_ODD_SERIES_FROM = 9
"""GIMP 2.9 and 2.99 were the roads to 2.10 and 3.0; their folders are nobody's any more."""


@dataclass(frozen=True)
class Place:
    """A folder for plug-ins; `kritarc` is the settings file that has to enable one in Krita."""

    editor: EditorName
    words: str
    folder: Path
    kritarc: Path | None = None


def places(
    editor: EditorName,
    platform: str = sys.platform,
    environment: Mapping[str, str] = os.environ,
) -> list[Place]:
    """The folders of every such editor that has been started on this machine."""
    return list((_gimp if editor == "gimp" else _krita)(platform, environment))


def _gimp(platform: str, environment: Mapping[str, str]) -> Iterator[Place]:
    home = _home(environment)
    if platform == "win32":
        roots = [("", _windows(environment, "APPDATA", "Roaming") / "GIMP")]
    elif platform == "darwin":
        roots = [("", home / "Library" / "Application Support" / "GIMP")]
    else:
        config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
        flatpak = home / ".var" / "app" / "org.gimp.GIMP" / "config"
        roots = [("", config / "GIMP"), (" (Flatpak)", flatpak / "GIMP")]
    for packaging, root in roots:
        found = sorted(root.iterdir()) if root.is_dir() else []
        for folder in found:
            version = _GIMP_VERSION.fullmatch(folder.name)
            if folder.is_dir() and version and int(version[1]) < _ODD_SERIES_FROM:
                yield Place("gimp", f"GIMP {folder.name}{packaging}", folder / "plug-ins")


def _krita(platform: str, environment: Mapping[str, str]) -> Iterator[Place]:
    home = _home(environment)
    if platform == "win32":
        data = _windows(environment, "APPDATA", "Roaming") / "krita"
        found = [("", data, _windows(environment, "LOCALAPPDATA", "Local") / "kritarc")]
    elif platform == "darwin":
        library = home / "Library"
        found = [("", library / "Application Support" / "krita", library / "Preferences/kritarc")]
    else:
        # The AppImage shares the folders of a native installation.
        data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
        config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
        sandbox = home / ".var" / "app" / "org.kde.krita"
        found = [
            ("", data / "krita", config / "kritarc"),
            (" (Flatpak)", sandbox / "data" / "krita", sandbox / "config" / "kritarc"),
        ]
    for packaging, resources, kritarc in found:
        if resources.is_dir() or kritarc.is_file():
            yield Place("krita", f"Krita{packaging}", resources / "pykrita", kritarc)


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("HOME") or environment.get("USERPROFILE") or Path.home())


def _windows(environment: Mapping[str, str], variable: str, folder: str) -> Path:
    return Path(environment.get(variable) or _home(environment) / "AppData" / folder)
