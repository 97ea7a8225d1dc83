"""Jobs and their events in SQLite. Everything here blocks: `jobs.ledger` runs it in one thread.

Write-ahead log with full synchronisation: when a method returns, its change survives a crash of
the process and of the machine.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from acetate.jobs.disk_space import is_full
from acetate.jobs.records import DiskFull, JobRecord, JobState, StoredLayer
from acetate_bridge.protocol.messages import Accepted, Cancelled, Done, Failed, Submit

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL UNIQUE,
    client TEXT NOT NULL,
    state TEXT NOT NULL,
    submit BLOB NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL,
    ended REAL,
    acknowledged REAL,
    code TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    hint TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS jobs_by_client ON jobs (client, acknowledged);
CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY,
    job TEXT NOT NULL REFERENCES jobs (job) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    body BLOB NOT NULL,
    position INTEGER,
    file TEXT,
    bytes INTEGER NOT NULL DEFAULT 0,
    UNIQUE (job, position)
);
CREATE INDEX IF NOT EXISTS events_by_job ON events (job);
CREATE TABLE IF NOT EXISTS images (
    sha256 TEXT PRIMARY KEY, bytes INTEGER NOT NULL, used REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS job_images (
    job TEXT NOT NULL REFERENCES jobs (job) ON DELETE CASCADE,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (job, sha256)
);
CREATE INDEX IF NOT EXISTS job_images_by_image ON job_images (sha256);
"""
_VERSION = "1"
_SEQUENCES_PER_RUN = 1_000_000_000

StoredEvent = Accepted | StoredLayer | Done | Failed | Cancelled
_KINDS: dict[str, type[Any]] = {
    "accepted": Accepted,
    "layer": StoredLayer,
    "done": Done,
    "failed": Failed,
    "cancelled": Cancelled,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


class StoreDamaged(Exception):
    """The database cannot be used; the text says what to do."""


@dataclass(frozen=True)
class Evicted:
    """Jobs that were forgotten, and the files that go with them.

    `over` bytes are then still too many for the quota, if it is positive.
    """

    jobs: list[str]
    files: list[str]
    over: int = 0


class Store:
    """The database file. `identity` names this store; another one knows nothing of its jobs."""

    def __init__(self, path: Path) -> None:
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("PRAGMA foreign_keys=ON")
            self._db.executescript(_SCHEMA)
            (answer,) = self._db.execute("PRAGMA quick_check").fetchone()
        except sqlite3.DatabaseError as error:
            if is_full(error):
                raise DiskFull from error
            raise StoreDamaged(
                f"The job store {path} cannot be read ({error}): "
                "move the file away and start again."
            ) from error
        if answer != "ok":
            raise StoreDamaged(f"The job store {path} is damaged: move it away and start again.")
        self.identity = self._fact("identity", uuid.uuid4().hex)
        if self._fact("version", _VERSION) != _VERSION:
            raise StoreDamaged(
                f"The job store {path} was written by another version: move it away."
            )

    def close(self) -> None:
        """Write everything back into the one file."""
        self._db.close()

    def _fact(self, name: str, default: str) -> str:
        with self._change():
            self._db.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", (name, default))
        (value,) = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return value

    @contextlib.contextmanager
    def _change(self) -> Iterator[None]:
        """One transaction; raises DiskFull, and then nothing has changed."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except BaseException as error:
            if self._db.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError) and (
                is_full(error) or "disk I/O error" in str(error)
            ):
                raise DiskFull from error
            raise

    def first_sequence(self) -> int:
        """Start of a range of sequence numbers that no earlier run has used."""
        with self._change():
            self._db.execute("INSERT OR IGNORE INTO facts VALUES ('sequence', '0')")
            (value,) = self._db.execute("SELECT value FROM facts WHERE name='sequence'").fetchone()
            start = int(value) + 1
            self._db.execute(
                "UPDATE facts SET value = ? WHERE name = 'sequence'",
                (str(start + _SEQUENCES_PER_RUN),),
            )
        return start

    # ---- jobs

    def add_job(self, client: str, submit: Submit, accepted: Accepted, now: float) -> None:
        """A new job, queued, with its `accepted` event."""
        with self._change():
            self._db.execute(
                "INSERT INTO jobs (job, client, state, submit, created) VALUES (?,?,?,?,?)",
                (submit.job, client, "queued", msgspec.json.encode(submit), now),
            )
            self._db.executemany(
                "INSERT OR IGNORE INTO job_images VALUES (?, ?)",
                [(submit.job, image.sha256) for image in submit.images.values()],
            )
            self._add_event(accepted.sequence, submit.job, accepted)

    def job(self, job: str) -> JobRecord | None:
        """One job, or None."""
        row = self._db.execute(f"SELECT {_JOB} FROM jobs WHERE job = ?", (job,)).fetchone()
        return _record(row) if row else None

    def jobs(self, client: str, most: int) -> list[JobRecord]:
        """The latest jobs of a client, newest first."""
        rows = self._db.execute(
            f"SELECT {_JOB} FROM jobs WHERE client = ? ORDER BY number DESC LIMIT ?",
            (client, most),
        )
        return [_record(row) for row in rows]

    def unfinished(self) -> list[JobRecord]:
        """Jobs that were accepted and have not ended, in the order in which they came."""
        rows = self._db.execute(
            f"SELECT {_JOB} FROM jobs WHERE state IN ('queued', 'running') ORDER BY number"
        )
        return [_record(row) for row in rows]

    def begin(self, job: str) -> int:
        """The job runs now; returns how often it has been begun."""
        with self._change():
            self._db.execute(
                "UPDATE jobs SET state = 'running', attempts = attempts + 1 WHERE job = ?", (job,)
            )
        (attempts,) = self._db.execute("SELECT attempts FROM jobs WHERE job = ?", (job,)).fetchone()
        return attempts

    def put_back(self, job: str, forgive: bool) -> None:
        """The job waits again; `forgive` does not count the attempt (the server was stopped)."""
        with self._change():
            self._db.execute(
                "UPDATE jobs SET state = 'queued', attempts = attempts - ? WHERE job = ?",
                (int(forgive), job),
            )

    def end(self, job: str, event: Done | Failed | Cancelled, now: float) -> None:
        """The job has ended with this event."""
        state: JobState = "done"
        code = message = hint = ""
        if isinstance(event, Failed):
            state, code, message, hint = "failed", event.code, event.message, event.hint
        elif isinstance(event, Cancelled):
            state = "cancelled"
        with self._change():
            self._db.execute(
                "UPDATE jobs SET state=?, ended=?, code=?, message=?, hint=? WHERE job=?",
                (state, now, code, message, hint, job),
            )
            self._add_event(event.sequence, job, event)

    def acknowledge(self, client: str, job: str, now: float) -> bool:
        """The client has the results; False when the job is not its own or has not ended."""
        with self._change():
            cursor = self._db.execute(
                "UPDATE jobs SET acknowledged = coalesce(acknowledged, ?) "
                "WHERE job = ? AND client = ? AND ended IS NOT NULL",
                (now, job, client),
            )
        return cursor.rowcount == 1

    # ---- events

    def add_layer(self, layer: StoredLayer, size: int) -> None:
        """A layer whose file has been written."""
        with self._change():
            self._add_event(layer.sequence, layer.job, layer, layer.index, layer.file, size)

    def layers(self, job: str) -> list[StoredLayer]:
        """Layers of a job in their order."""
        rows = self._db.execute(
            "SELECT kind, body FROM events WHERE job = ? AND kind = 'layer' ORDER BY position",
            (job,),
        )
        return [_event(*row) for row in rows]

    def missed(self, client: str, after: int) -> list[StoredEvent]:
        """Events of a client's unacknowledged jobs with higher numbers than `after`."""
        rows = self._db.execute(
            "SELECT kind, body FROM events JOIN jobs USING (job) WHERE client = ? "
            "AND acknowledged IS NULL AND sequence > ? ORDER BY sequence",
            (client, after),
        )
        return [_event(*row) for row in rows]

    def _add_event(
        self,
        sequence: int,
        job: str,
        event: StoredEvent,
        position: int | None = None,
        file: str | None = None,
        size: int = 0,
    ) -> None:
        self._db.execute(
            "INSERT INTO events (sequence, job, kind, body, position, file, bytes) "
            "VALUES (?,?,?,?,?,?,?)",
            (sequence, job, _NAMES[type(event)], msgspec.json.encode(event), position, file, size),
        )

    # ---- images and room

    def add_image(self, sha256: str, size: int, now: float) -> None:
        """An uploaded image whose file has been written."""
        with self._change():
            self._db.execute(
                "INSERT INTO images VALUES (?,?,?) ON CONFLICT DO UPDATE SET used = excluded.used",
                (sha256, size, now),
            )

    def known_images(self, names: Sequence[str]) -> set[str]:
        """Those of the images that are here."""
        marks = ",".join("?" * len(names))
        rows = self._db.execute(f"SELECT sha256 FROM images WHERE sha256 IN ({marks})", list(names))
        return {name for (name,) in rows}

    def used_bytes(self) -> int:
        """Room that results and images take."""
        (results,) = self._db.execute("SELECT coalesce(sum(bytes), 0) FROM events").fetchone()
        (images,) = self._db.execute("SELECT coalesce(sum(bytes), 0) FROM images").fetchone()
        return results + images

    def evict(self, need: int, quota: int) -> Evicted:
        """Forget acknowledged jobs, the oldest first, until `need` bytes fit into the quota."""
        over = self.used_bytes() + need - quota
        if over <= 0:
            return Evicted([], [], over)
        victims: list[str] = []
        rows = self._db.execute(
            "SELECT job, coalesce(sum(bytes), 0) FROM jobs JOIN events USING (job) "
            "WHERE acknowledged IS NOT NULL GROUP BY job ORDER BY acknowledged, number"
        ).fetchall()
        for job, size in rows:
            if over <= 0:
                break
            victims.append(job)
            over -= size
        return replace(self._forget(victims), over=over)

    def expire(self, ended_before: float, unused_before: float) -> Evicted:
        """Forget jobs that ended long ago, and images that no job needs any more."""
        rows = self._db.execute("SELECT job FROM jobs WHERE ended < ?", (ended_before,)).fetchall()
        evicted = self._forget([job for (job,) in rows])
        with self._change():
            rows = self._db.execute(
                "DELETE FROM images WHERE used < ? AND sha256 NOT IN "
                "(SELECT sha256 FROM job_images JOIN jobs USING (job) WHERE ended IS NULL) "
                "RETURNING sha256",
                (unused_before,),
            ).fetchall()
        return Evicted(evicted.jobs, evicted.files + [image_file(name) for (name,) in rows])

    def files(self) -> set[str]:
        """Every file that the store speaks of."""
        results = self._db.execute("SELECT file FROM events WHERE file IS NOT NULL")
        images = self._db.execute("SELECT sha256 FROM images")
        return {name for (name,) in results} | {image_file(name) for (name,) in images}

    def _forget(self, jobs: list[str]) -> Evicted:
        files: list[str] = []
        with self._change():
            for job in jobs:
                rows = self._db.execute(
                    "SELECT file FROM events WHERE job = ? AND file IS NOT NULL", (job,)
                )
                files.extend(name for (name,) in rows)
                self._db.execute("DELETE FROM jobs WHERE job = ?", (job,))
        return Evicted(jobs, files)


_JOB = "job, client, state, submit, attempts, created, code, message, hint, acknowledged"


def _record(row: tuple[Any, ...]) -> JobRecord:
    job, client, state, submit, attempts, created, code, message, hint, acknowledged = row
    return JobRecord(
        job,
        client,
        state,
        msgspec.json.decode(submit, type=Submit),
        attempts,
        created,
        code,
        message,
        hint,
        acknowledged is not None,
    )


def _event(kind: str, body: bytes) -> Any:
    return msgspec.json.decode(body, type=_KINDS[kind])


def image_file(sha256: str) -> str:
    """File name of an image; the digest was computed here, from the pixels."""
    return f"image-{sha256}"


def now() -> float:
    """Wall clock, as the store keeps it: it must hold across restarts."""
    return time.time()
