"""Files of choices: `__colours__` in a prompt is a line of `colours.txt`."""

from __future__ import annotations

import os
from pathlib import Path

from acetate.errors import BadRequest
from acetate_bridge.client.paths import config_folder

MOST_NAMES = 1000
"""Names told of one folder."""
_MOST_BYTES = 4 * 2**20


def wildcards_folder() -> Path:
    """Where the files lie; ACETATE_WILDCARDS_DIR names another folder."""
    return Path(os.environ.get("ACETATE_WILDCARDS_DIR") or config_folder() / "wildcards")


def wildcard_names() -> list[str]:
    """The names of the files, in the order of the alphabet; `MOST_NAMES` of them at most."""
    folder = wildcards_folder()
    paths = sorted(folder.rglob("*.txt"))[:MOST_NAMES] if folder.is_dir() else []
    return [path.relative_to(folder).with_suffix("").as_posix() for path in paths]


def wildcard_lines(name: str) -> list[str]:
    """The choices of a file, one a line, without blank lines and comments. Raises BadRequest."""
    folder = wildcards_folder()
    path = folder / f"{name}.txt"
    cure = f"Put {name}.txt into {folder}, one choice on each line."
    # A name is never a path out of the folder, by dots or by links.
    if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
        known = ", ".join(wildcard_names()[:20])
        raise BadRequest(
            f"There is no wildcard called “{name[:60]}”.",
            f"{cure} There are {known}." if known else cure,
        )
    if path.stat().st_size > _MOST_BYTES:
        raise BadRequest(f"The wildcard file {path.name} has more than 4 MB.")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise BadRequest(f"The wildcard file {path} cannot be read as text (UTF-8).") from None
    choices = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not choices:
        raise BadRequest(f"The wildcard file {path} is empty.", "Write one choice on each line.")
    return choices
