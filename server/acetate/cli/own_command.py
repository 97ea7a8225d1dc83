"""How this very installation is started again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from acetate_bridge.client.surroundings import program


def own_command() -> list[str]:
    """The words that start `acetate`."""
    beside = Path(sys.executable).with_name("acetate.exe" if os.name == "nt" else "acetate")
    if beside.exists():
        return [str(beside)]
    found = program("acetate")
    return [found] if found else [sys.executable, "-m", "acetate"]
