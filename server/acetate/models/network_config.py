"""The configuration of a network, held to bounds before anything is built from it.

A few bytes can ask for a network that no memory holds, for a layer more than there is time for,
or for code of somebody else's: libraries fetch attention kernels by a name that stands here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from acetate.errors import ModelDamaged
from acetate.models.files import damaged, read_config

_LARGEST = 2**24
"""Of any whole number: words, sides, positions, or the base of the angles of positions."""
_MOST_LAYERS = 512
_LAYERS = re.compile(r"layers|blocks|depth")
"""In the names of numbers that say how often something is built."""
_LONGEST_LIST = 4096
_PROGRAMS = ("auto_map", "custom_pipelines", "quantization_config", "quantization")
"""Entries that make libraries run something else than the network that is asked for."""
_CHOICES = ("attn_implementation", "experts_implementation", "kernel_config", "use_kernels")
"""Entries that say how something is computed, which is for this machine to say."""


def read_network_config(path: Path) -> dict[str, Any]:
    """What a network is built from. Raises ModelMissing, or ModelDamaged naming the file.

    Choices of how to compute are left out: they can name code that would be fetched.
    """
    config = read_config(path)
    for name, value in _entries(config):
        if name in _PROGRAMS and value:
            raise ModelDamaged(
                f"The model file {path} asks for code or a packing of its own ({name}), "
                "which Acetate does not use.",
                "Take the model in plain weights.",
            )
        if not _is_bounded(name, value):
            raise damaged(path)
    return cast("dict[str, Any]", _without_choices(config))


def _entries(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    yield name, value
    if isinstance(value, dict):
        for key, inner in cast("dict[str, Any]", value).items():
            yield from _entries(inner, key)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _entries(inner, name)


def _is_bounded(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return True
    if isinstance(value, (list, dict)):
        return len(cast("list[Any]", value)) <= _LONGEST_LIST
    if isinstance(value, (int, float)):
        most = _MOST_LAYERS if _LAYERS.search(name) else math.inf
        whole = isinstance(value, int)
        return abs(value) <= min(most, _LARGEST if whole else math.inf)
    return True


def _without_choices(value: Any) -> Any:
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
        return {
            name: _without_choices(inner)
            for name, inner in entries.items()
            if not name.lstrip("_").startswith(_CHOICES)
        }
    if isinstance(value, list):
        return [_without_choices(inner) for inner in cast("list[Any]", value)]
    return value
