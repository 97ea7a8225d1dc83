"""Finding and reading the files of a model, so that whatever is wrong with one names it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from acetate.errors import ModelDamaged, ModelMissing
from acetate_bridge.protocol.json_text import read_json

T = TypeVar("T")


MALFORMED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What libraries raise over settings and tensors that belong to no model. Memory that ran out is
not among it."""

_LARGEST_CONFIG = 4 * 2**20
"""The longest real ones, lists of shards, have a few hundred kilobytes."""


def existing(path: Path) -> Path:
    """The path itself; ModelMissing if no file is there."""
    if not path.is_file():
        raise ModelMissing(
            f"The model file {path} is missing.", "Install Acetate or fetch the model again."
        )
    return path


def read_config(path: Path) -> dict[str, Any]:
    """A JSON object; ModelMissing or ModelDamaged naming the file."""
    try:
        with open(existing(path), "rb") as file:
            text = file.read(_LARGEST_CONFIG + 1)
        if len(text) > _LARGEST_CONFIG:
            raise damaged(path)
        config = read_json(text.decode("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise damaged(path) from error
    if not isinstance(config, dict):
        raise damaged(path)
    return cast("dict[str, Any]", config)


def configured(path: Path, make: Callable[[dict[str, Any]], T]) -> T:
    """What `make` builds from a configuration file; ModelDamaged naming it when it cannot."""
    config = read_config(path)
    try:
        return make(config)
    except MALFORMED as error:
        raise damaged(path) from error


def damaged(path: Path) -> ModelDamaged:
    """The error for a file that is there and cannot be used."""
    return ModelDamaged(
        f"The model file {path} is damaged or does not belong to this model.",
        "Install Acetate or fetch the model again.",
    )
