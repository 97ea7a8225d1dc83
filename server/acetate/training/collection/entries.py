"""One layer of a collection, read with care: what cannot be learned from says why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acetate.errors import AcetateError, BadImage
from acetate.images.decoding import decode_picture
from acetate.images.samples import samples_of

Pixels = NDArray[np.uint8]
"""Straight RGBA, [H, W, 4]."""

VISIBLE = 4 / 255
"""Mean alpha of a square that counts as seen."""

_WORD = re.compile(r"[^\W\d_]{2,}")
_HASH = re.compile(r"[0-9a-f-]{16,}")


class Unusable(Exception):
    """A picture that nothing is learned from; `kind` is a few words, the same for all like it."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(detail or kind)
        self.kind = kind


class CollectionError(AcetateError):
    """A collection that nothing can be learned from."""

    code = "collection_unusable"


@dataclass(frozen=True)
class Entry:
    """A picture by a key that is the same in every run; `data` reads the bytes of its file."""

    key: str
    caption: str
    data: Callable[[], bytes]


@dataclass(frozen=True)
class Collection:
    """Entries in the order of their keys, and how many files were passed over, by the reason."""

    entries: list[Entry]
    faults: Counter[str] = field(default_factory=Counter[str])


def read_pixels(entry: Entry) -> Pixels:
    """The picture of an entry, however transparent. Raises Unusable."""
    try:
        image = decode_picture(entry.data())
    except BadImage as error:
        kind = "too large" if "megapixels" in error.message else "damaged or no picture"
        raise Unusable(kind, error.message) from error
    except OSError as error:
        raise Unusable("cannot be read", str(error)) from error
    samples = samples_of(image)
    if samples.dtype.itemsize == 2:
        samples = (samples.astype(np.uint32) * 255 + 32767) // 65535
    return np.ascontiguousarray(samples, np.uint8)


def read_layer(entry: Entry) -> Pixels:
    """The picture of an entry if it is a layer: something is seen, and not everywhere.

    Raises Unusable.
    """
    pixels = read_pixels(entry)
    alpha = pixels[..., 3]
    if alpha.min() == 255:
        raise Unusable("without transparency")
    if alpha.max() / 255 < VISIBLE:
        raise Unusable("empty")
    return pixels


def words_of(stem: str) -> str:
    """A caption from a file's name; empty where the name is a number or a hash."""
    if _HASH.fullmatch(stem.lower()) or not _WORD.search(stem):
        return ""
    return re.sub(r"[\s_\-.+]+", " ", stem).strip()


@dataclass(frozen=True)
class FileBytes:
    """Reads a file, or a part of one from `start` on."""

    path: Path
    start: int = 0
    size: int | None = None

    def __call__(self) -> bytes:
        """Raises OSError, also for a part that is cut short."""
        if self.size is None:
            return self.path.read_bytes()
        with self.path.open("rb") as file:
            file.seek(self.start)
            data = file.read(self.size)
        if len(data) < self.size:
            raise OSError(f"{self.path.name} is cut short")
        return data
