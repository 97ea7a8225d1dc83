"""The kinds of files that layers are written as, by the ending of their names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from acetate.errors import BadRequest

STDOUT = Path("-")
"""Stands for standard output."""


@dataclass(frozen=True)
class FileFormat:
    """`alpha` and `deep` say whether it holds transparency, and 16 bits a channel."""

    name: str
    endings: tuple[str, ...]
    alpha: bool = True
    deep: bool = False


FORMATS = (
    FileFormat("PNG", (".png",), deep=True),
    FileFormat("WebP", (".webp",)),
    FileFormat("TIFF", (".tif", ".tiff"), deep=True),
    FileFormat("AVIF", (".avif",)),
    FileFormat("JPEG", (".jpg", ".jpeg"), alpha=False),
)


def format_of(path: Path, *, alpha: bool = True, deep: bool = False) -> FileFormat:
    """The format that a path's ending names, PNG for standard output.

    Raises BadRequest for a folder, for an ending that is none, and where it cannot hold what it
    has to.
    """
    if path == STDOUT:
        return FORMATS[0]
    if path.is_dir():
        raise BadRequest(
            f"Cannot write {path}: it is a folder.", f"Name a file in it: {path / 'apple.png'}"
        )
    found = next((each for each in FORMATS if path.suffix.lower() in each.endings), None)
    endings = [each.endings[0] for each in FORMATS if each.alpha or not alpha]
    if found is None:
        raise BadRequest(f"{path} should end in {_or(endings)}.")
    if alpha and not found.alpha:
        raise BadRequest(
            f"{found.name} holds no transparency: {path} should end in {_or(endings)}."
        )
    if deep and not found.deep:
        raise BadRequest(
            f"{found.name} holds no 16 bits a channel: {path} should end in .png or .tif."
        )
    return found


def _or(endings: list[str]) -> str:
    return f"{', '.join(endings[:-1])} or {endings[-1]}"
