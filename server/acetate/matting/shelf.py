"""The matting network that is here, if any."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from acetate.matting.network import MattingNetwork
from acetate.models.own_register import own_file, own_files


def matting_file() -> tuple[Path, str] | None:
    """The last imported matting network that is still there, and what it was called."""
    for own in reversed(own_files("matting")):
        if (path := own_file(own.name)) is not None:
            return path, Path(own.source).name
    return None


@lru_cache(maxsize=1)
def matting_network(path: Path, name: str) -> MattingNetwork:
    """The network, kept from one painting to the next. See MattingNetwork."""
    return MattingNetwork(path, name)
