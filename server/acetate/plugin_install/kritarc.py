"""One line in Krita's settings: whether the plug-in is enabled. All other lines stay."""

from __future__ import annotations

import re
from pathlib import Path

from acetate.errors import CannotWrite
from acetate_bridge.client.paths import write_whole

_SECTION = "[python]"
_KEY = "enable_acetate_krita"
_LINE = re.compile(rf"\s*{_KEY}\s*=\s*(\w+)\s*")


def is_enabled(kritarc: Path) -> bool:
    """Whether Krita loads the plug-in when it starts."""
    lines = _read(kritarc)
    place = _find(lines)
    found = _LINE.fullmatch(lines[place]) if place is not None else None
    return found is not None and found[1].lower() == "true"


def enable(kritarc: Path) -> bool:
    """Enable the plug-in; False when it was already. Raises CannotWrite."""
    if is_enabled(kritarc):
        return False
    lines = _read(kritarc)
    place = _find(lines)
    if place is not None:
        lines[place] = f"{_KEY}=true"
    elif _SECTION in lines:
        lines.insert(lines.index(_SECTION) + 1, f"{_KEY}=true")
    else:
        lines += [*([""] if lines and lines[-1] else []), _SECTION, f"{_KEY}=true"]
    _write(kritarc, lines)
    return True


def forget(kritarc: Path) -> None:
    """Take the line out again, and the section if nothing else is in it. Raises CannotWrite."""
    lines = _read(kritarc)
    place = _find(lines)
    if place is None:
        return
    del lines[place]
    alone = place == len(lines) or not lines[place] or lines[place].startswith("[")
    if lines[place - 1] == _SECTION and alone:
        del lines[place - 1]
        while place - 1 == len(lines) and lines and not lines[-1]:
            del lines[-1]
            place -= 1
    if any(lines):
        _write(kritarc, lines)
    else:
        kritarc.unlink(missing_ok=True)  # Nothing is left of a file that `enable` has made.


def _find(lines: list[str]) -> int | None:
    if _SECTION not in lines:
        return None
    for place in range(lines.index(_SECTION) + 1, len(lines)):
        if lines[place].startswith("["):
            return None
        if _LINE.fullmatch(lines[place]):
            return place
    return None


def _read(kritarc: Path) -> list[str]:
    try:
        return kritarc.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise CannotWrite(
            f"Krita's settings in {kritarc} cannot be read.",
            "Enable the plug-in in Krita: Settings, Configure Krita, Python Plugin Manager.",
        ) from error


def _write(kritarc: Path, lines: list[str]) -> None:
    try:
        write_whole(kritarc, "".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise CannotWrite(
            f"Krita's settings in {kritarc} cannot be written: {error.strerror}.",
            "Enable the plug-in in Krita: Settings, Configure Krita, Python Plugin Manager.",
        ) from error
