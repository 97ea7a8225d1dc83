"""Editors in a sandbox (Flatpak, Snap): which one this is, and where both sides can look.

A sandbox has folders of its own for data and for runtime files. What a server of the system
leaves there is never seen from inside, so the server leaves word in two more places: below the
user's home, which these sandboxes share, and in the folders of the sandboxes themselves.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_FLATPAK_INFO = Path("/.flatpak-info")
_FLATPAKS = ("org.kde.krita", "org.gimp.GIMP")
_SNAPS = ("krita", "gimp")
_IN_FLATPAK = re.compile(r"^(?P<home>.*)/\.var/app/(?P<app>[^/]+)/")
_IN_SNAP = re.compile(r"^(?P<home>.*)/snap/(?P<app>[^/]+)/[^/]+")


@dataclass(frozen=True)
class Sandbox:
    """`kind` as people call it, `home` of the user outside, `own` a folder that both can see."""

    kind: str
    home: Path
    own: Path


def sandbox_of(
    environment: Mapping[str, str] | None = None, platform: str = sys.platform
) -> Sandbox | None:
    """The sandbox that this process lives in, if any. Only Linux has them."""
    if not platform.startswith("linux"):
        return None
    found = os.environ if environment is None else environment
    home = found.get("HOME") or str(Path.home())
    places = [found.get(name, "") + "/" for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME")]
    flatpak = next((match for place in places if (match := _IN_FLATPAK.match(place))), None)
    if app := found.get("FLATPAK_ID") or (flatpak and flatpak["app"]):
        outside = Path(flatpak["home"] if flatpak else home)
        return Sandbox("Flatpak", outside, _flatpak_folder(outside, app))
    if environment is None and _FLATPAK_INFO.exists():
        return Sandbox("Flatpak", Path(home), Path(home) / ".local" / "share")
    snap = next((match for place in (home, *places) if (match := _IN_SNAP.match(place))), None)
    if app := found.get("SNAP_NAME") or (snap and snap["app"]):
        outside = Path(found.get("SNAP_REAL_HOME") or (snap["home"] if snap else home))
        common = found.get("SNAP_USER_COMMON")
        return Sandbox("Snap", outside, Path(common) if common else _snap_folder(outside, app))
    return None


def places_outside(sandbox: Sandbox) -> list[Path]:
    """Folders in which a server of the system may have left word for this sandbox."""
    return [sandbox.own / "acetate" / "run", home_folder(sandbox.home)]


def places_to_leave(
    environment: Mapping[str, str] = os.environ, platform: str = sys.platform
) -> list[Path]:
    """Folders, beside the runtime folder, in which a server leaves word for sandboxes.

    None where the runtime folder was chosen by hand, or on systems without them.
    """
    if not platform.startswith("linux") or environment.get("ACETATE_RUNTIME_DIR"):
        return []
    home = Path(environment.get("HOME") or Path.home())
    apps = [(home / ".var" / "app" / app, _flatpak_folder(home, app)) for app in _FLATPAKS]
    apps += [(home / "snap" / app, _snap_folder(home, app)) for app in _SNAPS]
    return [home_folder(home), *(own / "acetate" / "run" for there, own in apps if there.is_dir())]


def home_folder(home: Path) -> Path:
    """The well-known folder below a home, whatever variables say of others."""
    return home / ".local" / "share" / "acetate" / "run"


def _flatpak_folder(home: Path, app: str) -> Path:
    return home / ".var" / "app" / app / "data"


def _snap_folder(home: Path, app: str) -> Path:
    return home / "snap" / app / "common"
