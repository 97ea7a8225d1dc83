"""The memory of the embedded model: licensed drawings that a painting can begin from."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from acetate.models.files import damaged, existing

INDEX = "index.json"


@dataclass(frozen=True)
class Concept:
    """One thing: what it is called, and words that people also look for it by."""

    names: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Drawing:
    """One picture of a concept. `name` is its place in the archive, such as "noto/red-apple"."""

    name: str
    style: str
    concept: int


class Drawings:
    """An archive of WebP pictures, read one by one as they are wanted.

    A zip file, so that anybody can look into it, with a table of contents as JSON.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """Where the archive lies."""
        return self._path

    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(existing(self._path))
        except (OSError, zipfile.BadZipFile) as error:
            raise damaged(self._path) from error

    @cached_property
    def concepts(self) -> tuple[Concept, ...]:
        """All things that there are drawings of. Raises ModelMissing or ModelDamaged."""
        return tuple(Concept(tuple(entry["names"]), tuple(entry["tags"])) for entry in self._index)

    @cached_property
    def _index(self) -> list[dict[str, list[str]]]:
        try:
            return json.loads(self._archive.read(INDEX))["concepts"]
        except (KeyError, ValueError, zipfile.BadZipFile) as error:
            raise damaged(self._path) from error

    def of(self, concept: int) -> list[Drawing]:
        """The drawings of one concept, in a fixed order."""
        return [
            Drawing(name, name.split("/")[0], concept) for name in self._index[concept]["drawings"]
        ]

    def __iter__(self) -> Iterator[Drawing]:
        return (one for number in range(len(self._index)) for one in self.of(number))

    def read(self, drawing: Drawing) -> NDArray[np.uint8]:
        """Straight RGBA [S, S, 4] of one drawing. Raises ModelDamaged."""
        try:
            with Image.open(io.BytesIO(self._bytes(drawing))) as picture:
                return np.array(picture.convert("RGBA"))
        except (OSError, ValueError) as error:
            raise damaged(self._path) from error

    def hash(self, drawing: Drawing) -> str:
        """SHA-256 of one drawing's bytes in hex: what a recipe holds it to."""
        return hashlib.sha256(self._bytes(drawing)).hexdigest()

    def _bytes(self, drawing: Drawing) -> bytes:
        try:
            return self._archive.read(f"{drawing.name}.webp")
        except (KeyError, zipfile.BadZipFile) as error:
            raise damaged(self._path) from error
