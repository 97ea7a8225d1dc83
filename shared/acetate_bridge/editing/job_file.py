"""The jobs that are on their way, on disk, so that an editor started again still gets them.

Every running editor has a slot of its own: a locked file, whose lock ends with the process
however it ends, and beside it the identity towards the server and the records of open jobs.
"""

from __future__ import annotations

import contextlib
import json
import logging
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from acetate_bridge.client.file_locks import lock_file
from acetate_bridge.client.paths import read_bounded, write_whole
from acetate_bridge.editing.job import Record
from acetate_bridge.protocol.json_text import read_json
from acetate_bridge.protocol.serialization import Mismatch, from_plain, to_plain

log = logging.getLogger("acetate.panel")

_SLOTS = 32


@dataclass(frozen=True)
class _Page:
    identity: str
    records: list[Record] = field(default_factory=list[Record])


class TaskBook:
    """Belongs to one panel. Without a disk to write on it works for as long as the editor runs."""

    def __init__(self, folder: Path, editor: str) -> None:
        self._file: Path | None = None
        self._lock: IO[bytes] | None = None
        self.identity = f"{editor}-{uuid.uuid4().hex}"
        self._records: dict[str, Record] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._take_slot(folder, editor)
        except OSError:
            log.warning("jobs cannot be remembered in %s", folder, exc_info=True)

    @property
    def records(self) -> list[Record]:
        """Jobs that have not been settled, oldest first."""
        return list(self._records.values())

    def add(self, record: Record) -> None:
        """Remember a job, before it is submitted."""
        self._records[record.job] = record
        self._save()

    def forget(self, job: str) -> None:
        """The results of a job are where they belong."""
        if self._records.pop(job, None) is not None:
            self._save()

    def close(self) -> None:
        """Give the slot back."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _take_slot(self, folder: Path, editor: str) -> None:
        for number in range(1, _SLOTS + 1):
            lock = open(folder / f"{editor}-{number}.lock", "ab")  # noqa: SIM115 (stays open)
            if not lock_file(lock):
                lock.close()
                continue
            self._lock, self._file = lock, folder / f"{editor}-{number}.json"
            self._read(self._file)
            return

    def _read(self, file: Path) -> None:
        with contextlib.suppress(OSError, ValueError, Mismatch):
            found: Any = read_json(read_bounded(file))
            page = from_plain(_Page, found, allow_unknown=True)
            self.identity = page.identity
            self._records = {record.job: record for record in page.records}
            return
        self._save()

    def _save(self) -> None:
        if self._file is None:
            return
        try:
            write_whole(self._file, json.dumps(to_plain(_Page(self.identity, self.records))))
        except OSError:
            log.warning("jobs cannot be remembered in %s", self._file, exc_info=True)
