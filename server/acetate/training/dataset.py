"""The picture set on disk: memory-mapped pixels and a table that says what each of them is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from .sources import HELD_OUT_STYLE, Drawing
from .whole_files import text_written_whole, written_whole

HELD_OUT_SHARE = 0.05


@dataclass(frozen=True)
class Entry:
    """One row of the table; `split` is `train`, `concept` or `style` (the last two held out)."""

    code: str
    label: str
    group: int
    style: str
    split: str


@dataclass(frozen=True)
class PictureSet:
    """Straight RGBA pixels uint8 [N, S, S, 4] and their N entries."""

    pixels: NDArray[np.uint8]
    entries: list[Entry]

    def rows(self, split: str) -> NDArray[np.int64]:
        """Row numbers of one split."""
        return np.array([i for i, entry in enumerate(self.entries) if entry.split == split])


class SplitPixels(Sequence[NDArray[np.uint8]]):
    """The pictures of one split, straight RGBA [S, S, 4]; `limit` of them, spread evenly."""

    def __init__(self, pictures: PictureSet, split: str, limit: int | None = None) -> None:
        rows = pictures.rows(split)
        self._rows = rows[:: max(1, len(rows) // (limit or len(rows) or 1))][:limit]
        self._pixels = pictures.pixels

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> NDArray[np.uint8]: ...
    @overload
    def __getitem__(self, index: slice) -> list[NDArray[np.uint8]]: ...
    def __getitem__(self, index: int | slice) -> NDArray[np.uint8] | list[NDArray[np.uint8]]:
        if isinstance(index, slice):
            return [np.array(self._pixels[row]) for row in self._rows[index]]
        return np.array(self._pixels[self._rows[index]])


def held_out_concept(code: str) -> bool:
    """Whether a concept is kept away from every stage of the training, in every style."""
    digest = hashlib.sha256(f"held-out|{code}".encode()).digest()
    return int.from_bytes(digest[:4], "little") / 2**32 < HELD_OUT_SHARE


def split_of(code: str, style: str) -> str:
    """`style` for the held-out style, `concept` for a held-out concept, otherwise `train`.

    Pictures that are held out in both ways count as `style`.
    """
    if style == HELD_OUT_STYLE:
        return "style"
    return "concept" if held_out_concept(code) else "train"


def write_picture_set(folder: Path, drawings: Iterable[Drawing], size: int) -> int:
    """Write the set into `folder`; returns the number of pictures. Raises CannotWrite."""
    entries: list[Entry] = []

    def write(part: Path) -> None:
        with part.open("wb") as file:
            for drawing in drawings:
                if drawing.pixels.shape != (size, size, 4) or not drawing.pixels[..., 3].any():
                    continue
                file.write(np.ascontiguousarray(drawing.pixels).tobytes())
                concept, style = drawing.concept, drawing.style
                split = split_of(concept.code, style)
                entries.append(Entry(concept.code, concept.label, concept.group, style, split))

    written_whole(folder / "pixels.raw", write)
    table = {"size": size, "entries": [asdict(entry) for entry in entries]}
    text_written_whole(folder / "table.json", json.dumps(table))
    return len(entries)


def read_picture_set(folder: Path) -> PictureSet:
    """Open a set that `write_picture_set` wrote; FileNotFoundError with the cure when missing."""
    table_file = folder / "table.json"
    if not table_file.is_file():
        raise FileNotFoundError(f"no pictures in {folder}; run `acetate train data` first")
    table = json.loads(table_file.read_text(encoding="utf-8"))
    entries = [Entry(**row) for row in table["entries"]]
    shape = (len(entries), table["size"], table["size"], 4)
    pixels = np.memmap(folder / "pixels.raw", dtype=np.uint8, mode="r", shape=shape)
    return PictureSet(pixels, entries)
