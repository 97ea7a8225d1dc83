"""What exactly a model is: the SHA-256 of its files, remembered as long as they do not change."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from platformdirs import user_cache_path

from acetate.models.files import existing
from acetate_bridge.client.paths import read_bounded, write_whole
from acetate_bridge.protocol.json_text import read_json


def file_hash(path: Path) -> str:
    """SHA-256 of a file in hex. Raises ModelMissing if it is not there."""
    with existing(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def model_hash(paths: Iterable[Path]) -> str:
    """One SHA-256 over the hashes of all files, whatever their order or place on the disk.

    Hashes are remembered by path, size and time of change, so that only the first use of a large
    model has to read it twice.
    """
    remembered = _Memory(hashes_file())
    hashes = sorted(remembered.hash_of(path) for path in paths)
    remembered.save()
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def known_hashes(files: Mapping[str, Path]) -> dict[str, str]:
    """SHA-256 by name; remembered as those of `model_hash` are. Raises ModelMissing."""
    remembered = _Memory(hashes_file())
    hashes = {name: remembered.hash_of(path) for name, path in files.items()}
    remembered.save()
    return hashes


def hashes_file() -> Path:
    """Where they are remembered."""
    return user_cache_path("acetate") / "hashes.json"


class _Memory:
    def __init__(self, store: Path) -> None:
        self._store = store
        self._known: dict[str, str] = {}
        self._changed = False
        try:
            stored = read_json(read_bounded(store))
            self._known = {str(key): str(value) for key, value in stored.items()}
        except (OSError, ValueError, AttributeError):
            pass  # Nothing remembered yet, or not readable: the files are simply read again.

    def hash_of(self, path: Path) -> str:
        state = existing(path).stat()
        key = f"{path.resolve()}|{state.st_size}|{state.st_mtime_ns}"
        if key not in self._known:
            self._known[key] = file_hash(path)
            self._changed = True
        return self._known[key]

    def save(self) -> None:
        if not self._changed:
            return
        # A read-only home costs time, not the picture.
        with contextlib.suppress(OSError):
            write_whole(self._store, json.dumps(self._known, indent=1))
