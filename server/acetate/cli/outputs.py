"""Where results go: names that are free, formats that can hold them, nothing over one another."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from acetate.errors import BadRequest
from acetate.images.files import check_writable, numbered
from acetate.images.formats import STDOUT


@dataclass(frozen=True)
class Outputs:
    """A path for each layer and for each scene, and what is to be said of the choice."""

    layers: tuple[Path, ...]
    scenes: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def settle(
    output: Path, scene: Path | None, layers: int, scenes: int, force: bool = False
) -> Outputs:
    """Free names for so many layers and scenes: a file that is there gets a number beside it.

    `force` takes the names as they are. Raises BadRequest for two outputs of one name, and
    CannotWrite for places that cannot be written to.
    """
    if scene is not None and _key(scene) == _key(output):
        raise BadRequest(
            f"The layer and the scene would both be written to {output}.",
            "Give one of them another name.",
        )
    if STDOUT in (output, scene) and layers > 1:
        raise BadRequest("Standard output takes one picture: name a file for several.")
    if STDOUT in (output, scene) and sys.stdout.isatty():
        raise BadRequest(
            "Standard output is a terminal, which shows no pictures.",
            "Name a file with -o apple.png, or send it on: -o - > apple.png",
        )
    for path in filter(None, (output, scene)):
        check_writable(path)
    named = _series(output, layers, force)
    shown = _series(scene, scenes, force) if scene is not None else ()
    keys = [_key(path) for path in (*named, *shown)]
    if len(set(keys)) < len(keys):
        raise BadRequest(
            f"{scene} would be one of the layers of {output}.", "Give one of them another name."
        )
    for path in (*named, *shown):
        check_writable(path)
    return Outputs(named, shown, tuple([*_notes(output, named), *_notes(scene, shown)]))


def _series(path: Path, length: int, force: bool) -> tuple[Path, ...]:
    """The path itself, or numbered ones that nobody has yet."""
    if path == STDOUT:
        return (path,)
    if length == 1:
        return (path if force else next(each for each in numbered(path) if _is_free(each)),)
    return next(each for each in _runs(path, length) if force or all(map(_is_free, each)))


def _runs(path: Path, length: int) -> Iterator[tuple[Path, ...]]:
    for first in count(1):
        yield tuple(path.with_stem(f"{path.stem}-{first + index}") for index in range(length))


def _notes(path: Path | None, chosen: tuple[Path, ...]) -> Iterator[str]:
    if path is None or not chosen or path == STDOUT:
        return
    usual = (path,) if len(chosen) == 1 else next(_runs(path, len(chosen)))
    if chosen[0] != usual[0]:
        there = next((each for each in usual if not _is_free(each)), usual[0])
        name = "name is" if len(chosen) == 1 else "names are"
        yield f"{there} is there already, so the next free {name} taken (--force replaces it)."


def _is_free(path: Path) -> bool:
    return not os.path.lexists(path)


def _key(path: Path) -> str:
    """The same for two spellings of one file, on systems that ignore case, too."""
    return os.path.normcase(os.path.realpath(path)).casefold()
