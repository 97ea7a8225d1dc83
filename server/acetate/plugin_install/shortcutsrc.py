"""Default keys in GIMP's settings: a plug-in cannot bring its own, so the installation does."""

from __future__ import annotations

import re
from pathlib import Path

from acetate.errors import CannotWrite
from acetate_bridge.client.paths import write_whole

SHORTCUTS = {
    "acetate-open-panel": "F9",
    "acetate-generate-layer": "<Shift>F9",
    "acetate-fill-background": "<Primary>F9",
    "acetate-repaint-layer": "<Primary><Shift>F9",
}
"""GIMP uses F9 for nothing itself."""

_ACTION = re.compile(r'\s*\(action "(?P<action>[^"]+)"(?P<keys>.*)\)\s*')
_KEY = re.compile(r'"([^"]+)"')


def add(shortcutsrc: Path) -> list[str]:
    """Give our actions their keys, and return the keys.

    An action that the file mentions is left as the painter has it, and a key that is taken stays
    with its owner. Raises CannotWrite.
    """
    lines = _read(shortcutsrc)
    found = [match for line in lines if (match := _ACTION.fullmatch(line))]
    known = {match["action"] for match in found}
    taken = {key for match in found for key in _KEY.findall(match["keys"])}
    new = {
        action: key for action, key in SHORTCUTS.items() if action not in known and key not in taken
    }
    if new:
        _write(shortcutsrc, lines + [f'(action "{action}" "{key}")' for action, key in new.items()])
    return list(new.values())


def forget(shortcutsrc: Path) -> None:
    """Take out every line of our actions. Raises CannotWrite."""
    if not shortcutsrc.is_file():
        return
    lines = _read(shortcutsrc)
    kept = [
        line
        for line in lines
        if not (match := _ACTION.fullmatch(line)) or match["action"] not in SHORTCUTS
    ]
    if kept == [_HEADER]:
        shortcutsrc.unlink(missing_ok=True)  # Nothing is left of a file that `add` has made.
    elif kept != lines:
        _write(shortcutsrc, kept)


def _read(shortcutsrc: Path) -> list[str]:
    try:
        return shortcutsrc.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return [_HEADER]
    except (OSError, ValueError) as error:
        raise CannotWrite(f"GIMP's shortcuts in {shortcutsrc} cannot be read.", _BY_HAND) from error


def _write(shortcutsrc: Path, lines: list[str]) -> None:
    try:
        write_whole(shortcutsrc, "".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise CannotWrite(
            f"GIMP's shortcuts in {shortcutsrc} cannot be written: {error.strerror}.", _BY_HAND
        ) from error


_HEADER = "(file-version 1)"
_BY_HAND = "Choose them in GIMP: Edit, Keyboard Shortcuts."
