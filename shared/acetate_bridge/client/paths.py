"""Where settings are kept, and how a file is replaced as a whole."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path


def config_folder(
    platform: str = sys.platform, environment: Mapping[str, str] = os.environ
) -> Path:
    """Where programs keep their settings on this system; ACETATE_CONFIG_DIR names another one."""
    if chosen := environment.get("ACETATE_CONFIG_DIR"):
        return Path(chosen)
    home = Path(environment.get("HOME") or environment.get("USERPROFILE") or Path.home())
    if platform == "win32":
        return Path(environment.get("APPDATA") or home / "AppData" / "Roaming") / "acetate"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "acetate"
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "acetate"


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader finds the old text or the new one. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
