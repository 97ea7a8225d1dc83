"""Commands as a person can paste them into the shell of this system."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence

_PLAIN = re.compile(r"[\w\-./:\\=]+")


def written(words: Sequence[str], platform: str = sys.platform) -> str:
    """The words of a command in one line, quoted for POSIX shells or for Windows' own."""
    if platform != "win32":
        return shlex.join(words)
    return " ".join(word if _PLAIN.fullmatch(word) else f'"{word}"' for word in words)
