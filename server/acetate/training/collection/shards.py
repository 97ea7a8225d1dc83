"""Shards of WebDataset: tar files whose members share the part of the name before the dot."""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any, cast

from acetate.training.collection.entries import Entry, FileBytes

PICTURES = (".png", ".webp", ".tif", ".tiff", ".avif", ".gif", ".jpg", ".jpeg", ".bmp", ".psd")
_WORDS = (".txt", ".caption", ".text")
_LONGEST_TEXT = 2**20
_CUT = "shards cut short or damaged"
CAPTION_KEYS = ("caption", "text", "prompt", "description")


def read_shard(path: Path, name: str, faults: Counter[str]) -> list[Entry]:
    """The pictures of a tar file; what was lost with a shard that is cut short is counted.

    `name` is what the keys of all its pictures begin with.
    """
    return [
        Entry(f"{name}/{key}", _caption(found), picture)
        for key, found in members_in(path, faults).items()
        if (picture := _first(found, PICTURES)) is not None
    ]


def members_in(path: Path, faults: Counter[str]) -> dict[str, dict[str, FileBytes]]:
    """The files of each sample by what their names end with, from the first dot on."""
    parts: dict[str, dict[str, FileBytes]] = {}
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                if member.isfile():
                    key, _, ending = PurePosixPath(member.name).name.partition(".")
                    folder = PurePosixPath(member.name).parent
                    where = FileBytes(path, member.offset_data, member.size)
                    parts.setdefault(str(folder / key), {})[f".{ending.lower()}"] = where
            # An archive ends with empty blocks; one that was cut in a header ends without a word.
            if path.stat().st_size < archive.offset + tarfile.BLOCKSIZE:
                faults[_CUT] += 1
    except (tarfile.TarError, OSError, EOFError):
        faults[_CUT] += 1
    return parts


def caption_in(row: dict[str, Any]) -> str:
    """The caption in a table's row, under any of the names in use."""
    found = (row.get(key) for key in CAPTION_KEYS)
    return next((text.strip() for text in found if isinstance(text, str)), "")


def _first(found: dict[str, FileBytes], endings: tuple[str, ...]) -> FileBytes | None:
    return next((found[ending] for ending in endings if ending in found), None)


def _caption(found: dict[str, FileBytes]) -> str:
    words = _first(found, (*_WORDS, ".json"))
    if words is None or (words.size or 0) > _LONGEST_TEXT:
        return ""
    try:
        text = words().decode("utf-8", "replace")
        if words is not found.get(".json"):
            return text.strip()
        row: Any = json.loads(text)
        return caption_in(cast("dict[str, Any]", row)) if isinstance(row, dict) else ""
    except (OSError, ValueError):
        return ""
