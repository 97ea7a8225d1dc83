"""Where torch keeps the code that it compiles, set before anything imports torch.

By itself it takes a folder of the common temporary one under a name that everybody can guess:
another user could take that name first, and what lies there is loaded and run.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

from platformdirs import user_cache_path

VARIABLE = "TORCHINDUCTOR_CACHE_DIR"


def keep_to_ourselves(environment: MutableMapping[str, str] = os.environ) -> None:
    """Name a folder of the user's own, unless one is named already or none can be made."""
    folder = user_cache_path("acetate") / "compiled"
    if VARIABLE not in environment and _can_be_made(folder):
        environment[VARIABLE] = str(folder)


def _can_be_made(folder: Path) -> bool:
    """Whether the folder is there, or the nearest one above it can be written to."""
    there = next((each for each in (folder, *folder.parents) if os.path.lexists(each)), folder)
    return there.is_dir() and os.access(there, os.W_OK)
