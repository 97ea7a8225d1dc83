"""Starting a module of ours as a process: it finds its modules where this process found them."""

from __future__ import annotations

import os
import sys


def module_command(module: str, *words: str) -> list[str]:
    """What starts a module with the Python that runs here.

    `-P`: the folder in which somebody happened to start the server is not searched for modules.
    Anybody may write into a temporary or a shared folder, and what is imported is run.
    """
    return [sys.executable, "-P", "-m", module, *words]


def module_environment() -> dict[str, str]:
    """The environment of such a process."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
