"""Checkpoints that are whole or not there: written beside, forced to the disk, then renamed."""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
from pathlib import Path
from typing import Any, cast

import torch

from acetate.errors import CannotWrite, ModelDamaged
from acetate.training.whole_files import GO_ON, half_of, reason_of


def write_checkpoint(file: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values; the old checkpoint stays until the new is whole.

    Raises CannotWrite, and leaves nothing half behind.
    """
    half = half_of(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with half.open("wb") as opened:
            torch.save(_canonical(state), opened)
            opened.flush()
            os.fsync(opened.fileno())
        half.replace(file)
    except (OSError, RuntimeError) as error:
        with contextlib.suppress(OSError):
            half.unlink()
        before = "make room, and run the same command to go on from there."
        raise CannotWrite(
            f"Cannot write the checkpoint {file}: {reason_of(error)}.",
            f"The one before it is whole: {before}" if file.is_file() else GO_ON,
        ) from error


def read_checkpoint(file: Path) -> dict[str, Any] | None:
    """What was written there, on the CPU; None where nothing was. Raises ModelDamaged."""
    if not file.is_file():
        return None
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError) as error:
        raise ModelDamaged(
            f"The checkpoint {file} cannot be read.", "Delete it to begin again."
        ) from error


def _canonical(value: Any) -> Any:
    """The same bytes for the same state: a pickle tells whether two equal texts are one object."""
    if isinstance(value, str):
        return sys.intern(value)
    if isinstance(value, dict):
        items = cast("dict[Any, Any]", value).items()
        return {_canonical(key): _canonical(inner) for key, inner in items}
    if isinstance(value, (list, tuple)):
        each = [_canonical(inner) for inner in cast("list[Any]", value)]
        return each if isinstance(value, list) else tuple(each)
    return value
