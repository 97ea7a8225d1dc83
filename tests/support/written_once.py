"""Tiny models of many megabytes, made once in a process and copied from then on."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

Writer = Callable[[Path], Path]


def written_once(write: Writer) -> Writer:
    """A writer of a folder that is the same each time, as one that keeps what it wrote.

    Each copy is its own: what a test does to the files of one, no other finds.
    """
    made: list[tuple[Path, Tensor]] = []

    @functools.wraps(write)
    def written(folder: Path) -> Path:
        if not made:
            kept = _kept() / write.__name__
            write(kept)
            made.append((kept, torch.get_rng_state()))
        kept, drawn = made[0]
        shutil.copytree(kept, folder)
        # Who draws afterwards draws the same, whether the model was made or copied.
        torch.set_rng_state(drawn)
        return folder

    return written


@functools.cache
def _kept() -> Path:
    """A folder for the length of this process."""
    folder, owner = Path(tempfile.mkdtemp(prefix="acetate-tiny-")), os.getpid()

    def remove() -> None:
        # A process that was forked from this one leaves it to it.
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder
