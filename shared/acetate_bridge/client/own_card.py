"""The graphics card of this machine, as its driver's own tool names it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from acetate_bridge.client.surroundings import program

NVIDIA = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
_SECONDS = 10.0
_NO_WINDOW = 0x08000000

Ask = Callable[[list[str]], str]


def ask(words: list[str], platform: str = sys.platform) -> str:
    """The first line that a program says; empty when it is not there, or fails."""
    path = program(words[0])
    if path is None:
        return ""
    try:
        done = subprocess.run(
            [path, *words[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            creationflags=_NO_WINDOW if platform == "win32" else 0,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""
    lines = done.stdout.strip().splitlines()
    return lines[0].strip() if done.returncode == 0 and lines else ""


def own_card(question: Ask = ask) -> str:
    """Name and memory of the first card of NVIDIA; empty where there is none, or nobody says."""
    return question(NVIDIA)
