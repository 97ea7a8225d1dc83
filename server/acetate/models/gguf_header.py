"""The list of tensors at the beginning of a GGUF file, read without trusting it.

Such files are other people's, and what else reads them counts on what they say: a length without
end would keep it busy for ever (format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

from acetate.errors import ModelDamaged
from acetate.models.files import damaged, existing

MAGIC = b"GGUF"
BLOCKS = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    20: ("IQ4_NL", 32, 18),
    23: ("IQ4_XS", 256, 136),
    30: ("BF16", 1, 2),
}
"""By their number in the format: types, how many numbers go together, into how many bytes."""

_VERSIONS = (2, 3)
_MOST_TENSORS, _MOST_NOTES = 20_000, 20_000
_LONGEST = 2**20
"""Bytes of one text, and entries of one list."""
_MOST_LISTED = 4 * 2**20
_MOST_SIDES = 4
_MOST_NUMBERS = 2**40
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_UINT32, _INT32, _TEXT, _LIST = 4, 5, 8, 9
_RESHAPED = "comfy.gguf.orig_shape."
"""Before the name of a tensor whose rows would not have gone into whole blocks."""


class _Lie(Exception):
    """The file says what cannot be."""


@dataclass(frozen=True)
class Packed:
    """Where a tensor lies: its number of type, its sides as stored, and its first byte."""

    kind: int
    sides: tuple[int, ...]
    begin: int

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        _, numbers, size = BLOCKS[self.kind]
        return self.sides[-1] // numbers * size if self.sides else size

    @property
    def bytes(self) -> int:
        """Bytes of all of it."""
        return self.row_bytes * prod(self.sides[:-1])


@dataclass(frozen=True)
class GgufHeader:
    """Shape of each tensor as its network has it, where it lies, and what the maker wrote."""

    shapes: dict[str, tuple[int, ...]]
    tensors: dict[str, Packed]
    metadata: dict[str, str]


def is_gguf(path: Path) -> bool:
    """Whether a file begins as those of GGUF do."""
    with path.open("rb") as file:
        return file.read(4) == MAGIC


def read_gguf_header(path: Path) -> GgufHeader:
    """The list of tensors, which tells the truth. Raises ModelMissing, ModelDamaged."""
    try:
        with open(existing(path), "rb") as file:
            return _Reading(file, os.fstat(file.fileno()).st_size).header()
    except (OSError, struct.error, UnicodeDecodeError) as error:
        raise damaged(path) from error
    except _Lie as error:
        raise ModelDamaged(f"{damaged(path).message.rstrip('.')}: {error}.") from error


class _Reading:
    """One pass over the beginning of a file of `size` bytes."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._listed = 0
        self._alignment = 32
        self._texts: dict[str, str] = {}
        self._reshaped: dict[str, tuple[int, ...]] = {}

    def header(self) -> GgufHeader:
        if self._file.read(4) != MAGIC:
            raise _Lie("it does not begin as one")
        version, tensors, notes = self._numbers("<IQQ")
        if version not in _VERSIONS:
            raise _Lie(f"it is of version {version}, which is not known")
        if tensors > _MOST_TENSORS or notes > _MOST_NOTES:
            raise _Lie("it lists more than any model has")
        for _ in range(notes):
            self._note()
        found = [self._tensor() for _ in range(tensors)]
        start = -(-self._file.tell() // self._alignment) * self._alignment
        packed: dict[str, Packed] = {}
        for name, kind, sides, offset in found:
            if name in packed:
                raise _Lie(f"it has two tensors {ascii(name)[:60]}")
            packed[name] = Packed(kind, sides, start + offset)
            if packed[name].begin + packed[name].bytes > self._size:
                raise _Lie(f"its tensor {ascii(name)[:60]} lies beyond its end")
        if sum(each.bytes for each in packed.values()) > self._size:
            raise _Lie("its tensors lie over each other")
        return GgufHeader(self._shapes(packed), packed, self._texts)

    def _shapes(self, packed: dict[str, Packed]) -> dict[str, tuple[int, ...]]:
        shapes = {name: each.sides for name, each in packed.items()}
        for name, shape in self._reshaped.items():
            if name in shapes:
                if prod(shape) != prod(shapes[name]):
                    raise _Lie(f"its tensor {ascii(name)[:60]} had another size")
                shapes[name] = shape
        return shapes

    def _numbers(self, form: str) -> tuple[int, ...]:
        return struct.unpack(form, self._file.read(struct.calcsize(form)))

    def _text(self) -> str:
        (length,) = self._numbers("<Q")
        if length > _LONGEST:
            raise _Lie("one of its texts is endless")
        text = self._file.read(length)
        if len(text) < length:
            raise _Lie("it ends within its own list of tensors")
        return text.decode("utf-8")

    def _skip(self, bytes_: int) -> None:
        if self._file.tell() + bytes_ > self._size:
            raise _Lie("it ends within its own list of tensors")
        self._file.seek(bytes_, os.SEEK_CUR)

    def _note(self) -> None:
        name = self._text()
        (kind,) = self._numbers("<I")
        if kind == _TEXT:
            self._texts[name] = self._text()
        elif kind == _LIST:
            self._list(name)
        elif name == "general.alignment" and kind == _UINT32:
            (self._alignment,) = self._numbers("<I")
            if not 1 <= self._alignment <= 2**16:
                raise _Lie("it is aligned to what is no size")
        else:
            self._skip(self._size_of(kind))

    def _list(self, name: str) -> None:
        kind, count = self._numbers("<IQ")
        self._listed += count
        if count > _LONGEST or self._listed > _MOST_LISTED:
            raise _Lie("one of its lists is endless")
        if name.startswith(_RESHAPED) and kind == _INT32 and 0 < count <= 8:
            sides = self._numbers(f"<{count}i")
            if min(sides) < 0:
                raise _Lie("a tensor had sides that are none")
            self._reshaped[name.removeprefix(_RESHAPED)] = sides
        elif kind == _TEXT:
            for _ in range(count):
                self._text()
        else:
            self._skip(count * self._size_of(kind))

    def _size_of(self, kind: int) -> int:
        if kind not in _SIZES:
            raise _Lie("one of its notes is of an unknown type")
        return _SIZES[kind]

    def _tensor(self) -> tuple[str, int, tuple[int, ...], int]:
        name = self._text()
        shown = ascii(name)[:60]
        (count,) = self._numbers("<I")
        if count > _MOST_SIDES:
            raise _Lie(f"its tensor {shown} has no shape")
        # The innermost side comes first there, and last here.
        sides = self._numbers(f"<{count}Q")[::-1]
        kind, offset = self._numbers("<IQ")
        if kind not in BLOCKS:
            known = ", ".join(each for each, _, _ in BLOCKS.values())
            raise _Lie(f"its tensor {shown} is of a type that is not read (known are {known})")
        if prod(max(side, 1) for side in sides) > _MOST_NUMBERS:
            raise _Lie(f"its tensor {shown} has sides that no memory holds")
        if sides and sides[-1] % BLOCKS[kind][1]:
            raise _Lie(f"the rows of its tensor {shown} are not of whole blocks")
        return name, kind, sides, offset
