"""What a file of a learned word holds for each text encoder of a family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def vectors_in(file: Mapping[str, Tensor], family: str) -> tuple[Tensor, ...]:
    """The vectors [N, width] of each encoder; empty where the file has not the same number for all.

    Trainers call SDXL's two `clip_l` and `clip_g`; the one of Stable Diffusion 1.5 has any name.
    """
    if family == "sdxl":
        parts = [file[name] for name in ("clip_l", "clip_g") if name in file]
    else:
        parts = [tensor for tensor in file.values() if 1 <= tensor.dim() <= 2]
    rows = [part.float().reshape(-1, part.shape[-1]) for part in parts]
    whole = len(rows) == (2 if family == "sdxl" else 1)
    return tuple(rows) if whole and len({len(part) for part in rows}) == 1 else ()
