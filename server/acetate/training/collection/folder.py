"""A folder as a collection: pictures with captions beside them, shards, tables."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from acetate.training.collection.entries import (
    Collection,
    CollectionError,
    Entry,
    FileBytes,
    words_of,
)
from acetate.training.collection.shards import PICTURES, caption_in, read_shard
from acetate.training.collection.tables import read_table

METADATA = "metadata.jsonl"


def open_collection(folder: Path) -> Collection:
    """All layers below a folder; no picture is opened yet.

    Captions come from `metadata.jsonl` (`file_name` and `text` a line), a `.txt` of the same name,
    or the words of the name. Raises CollectionError where there is nothing.
    """
    if not folder.is_dir():
        raise CollectionError(f"There is no folder at {folder}.")
    faults: Counter[str] = Counter()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    entries: list[Entry] = []
    told: dict[Path, str] = {}
    for path in files:
        if path.name == METADATA:
            told |= _read_metadata(path, faults)
    for path in files:
        ending, key = path.suffix.lower(), path.relative_to(folder).as_posix()
        if ending == ".tar":
            entries += read_shard(path, key, faults)
        elif ending == ".parquet":
            entries += read_table(path, key, faults)
        elif ending in PICTURES:
            caption = told.get(path) or _beside(path) or words_of(path.stem)
            entries.append(Entry(key, caption, FileBytes(path)))
    if not entries:
        why = "; ".join(f"{count} {reason}" for reason, count in faults.items())
        raise CollectionError(
            f"There are no pictures in {folder}{f' ({why})' if why else ''}.",
            "Put RGBA pictures there, or shards (.tar) or tables (.parquet) of them.",
        )
    return Collection(sorted(entries, key=lambda entry: entry.key), faults)


def _read_metadata(path: Path, faults: Counter[str]) -> dict[Path, str]:
    told: dict[Path, str] = {}
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        faults["metadata.jsonl that cannot be read"] += 1
        return told
    for line in lines:
        if not line.strip():
            continue
        try:
            row: Any = json.loads(line)
            name = str(row["file_name"])
        except (ValueError, KeyError, TypeError, RecursionError):
            faults["lines of metadata.jsonl that say nothing"] += 1
            continue
        told[path.parent / name] = caption_in(row)
    return told


def _beside(path: Path) -> str:
    words = path.with_suffix(".txt")
    try:
        return words.read_text("utf-8", "replace").strip() if words.is_file() else ""
    except OSError:
        return ""
