"""The header of a safetensors file, held to the file before anything reads its numbers.

A header can lie: of tensors that lie outside of the file or over each other, of sizes that no
memory holds, of a length beyond the end. Every reader of Acetate's comes through here first, so
that none has to trust it (format: https://huggingface.co/docs/safetensors).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard, cast

from acetate.errors import ModelDamaged
from acetate.models.files import damaged, existing
from acetate_bridge.protocol.json_text import BadFrame, read_json

_LONGEST_HEADER = 16 * 2**20
"""Real ones have a few hundred kilobytes."""
_MOST_DIMENSIONS = 16
_MOST_VALUES = 10**6
"""Objects, lists and what they hold: many times what the largest models need. Without a bound a
header of brackets would take a hundred times its own size as memory."""
_LONGEST_NAME = 1000
_MOST_ELEMENTS = 2**48
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "F64": 64, "I64": 64, "U64": 64, "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip


@dataclass(frozen=True)
class Header:
    """Shape and type (as the format names it) of each tensor, and what the maker wrote."""

    shapes: dict[str, tuple[int, ...]]
    types: dict[str, str]
    metadata: dict[str, str]


class _Lie(Exception):
    """The header says what cannot be."""


def read_header(path: Path) -> Header:
    """The header of a file, which tells the truth about it. Raises ModelMissing, ModelDamaged.

    Reads nothing but the header, which is no longer than the file.
    """
    try:
        with open(existing(path), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(size - 8, _LONGEST_HEADER):
                raise _Lie("its header is longer than it may be")
            text = file.read(length)
        return _read(text, size - 8 - length)
    except (OSError, BadFrame) as error:
        raise damaged(path) from error
    except _Lie as error:
        raise ModelDamaged(f"{damaged(path).message.rstrip('.')}: {error}.") from error


def _read(text: bytes, room: int) -> Header:
    if sum(map(text.count, (b"{", b"[", b","))) > _MOST_VALUES:
        raise _Lie("its header lists more than any model has")
    found = read_json(text.rstrip(b" "), unique=True)
    if not isinstance(found, dict):
        raise _Lie("the header is no object")
    entries = cast("dict[str, Any]", found)
    metadata: Any = entries.pop("__metadata__", {})
    if not isinstance(metadata, Mapping):
        raise _Lie("its notes are no object")
    notes = cast("Mapping[str, Any]", metadata)
    spans: list[tuple[int, int]] = []
    shapes: dict[str, tuple[int, ...]] = {}
    types: dict[str, str] = {}
    for name, entry in entries.items():
        shapes[name], types[name], span = _tensor(name, entry)
        spans.append(span)
    at = 0
    for begin, end in sorted(spans):
        if begin != at:
            raise _Lie("tensors lie over each other, or leave a gap")
        at = end
    if at != room:
        raise _Lie("the tensors and the file differ in size")
    texts = {name: text for name, text in notes.items() if isinstance(text, str)}
    return Header(shapes, types, texts)


def _tensor(name: str, entry: Any) -> tuple[tuple[int, ...], str, tuple[int, int]]:
    shown = ascii(name)[:60]
    if len(name) > _LONGEST_NAME:
        raise _Lie(f"the tensor {shown} has an endless name")
    if not isinstance(entry, dict):
        raise _Lie(f"the tensor {shown} is not described")
    fields = cast("dict[str, Any]", entry)
    kind, shape, span = (fields.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(kind, str) or kind not in _BITS:
        raise _Lie(f"the tensor {shown} is of an unknown type")
    if not _are_counts(shape) or len(shape) > _MOST_DIMENSIONS:
        raise _Lie(f"the tensor {shown} has no shape")
    if not _are_counts(span) or len(span) != 2:
        raise _Lie(f"the tensor {shown} has no place")
    bits, extent = _BITS[kind], 1
    for side in shape:
        bits *= side
        extent *= max(side, 1)
    if extent > _MOST_ELEMENTS:  # Even of nothing: its strides are numbers too.
        raise _Lie(f"the tensor {shown} has sides that no memory holds")
    begin, end = span
    if end < begin or (end - begin) * 8 != bits:
        raise _Lie(f"the tensor {shown} has another size than its shape says")
    return tuple(shape), kind, (begin, end)


def _are_counts(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(
        isinstance(each, int) and not isinstance(each, bool) and each >= 0
        for each in cast("list[Any]", value)
    )
