"""Jobs and their events in SQLite. Everything here blocks: `jobs.ledger` runs it in one thread.

Write-ahead log with full synchronisation: when a method returns, its change survives a crash of
the process and of the machine.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from acetate.jobs.disk_space import is_full
from acetate.jobs.records import DiskFull, JobRecord, JobState, NewJob, StoredLayer
from acetate.jobs.rows import (
    JOB_COLUMNS,
    NAMES,
    StoredEvent,
    is_event,
    is_job,
    read_events,
    read_jobs,
)
from acetate.jobs.schema import StoreDamaged, open_database
from acetate_bridge.protocol.messages import Accepted, Cancelled, Done, Failed, Submit
from acetate_bridge.protocol.types import Recipe

log = logging.getLogger("acetate.jobs")

__all__ = ["Evicted", "Store", "StoreDamaged", "StoredEvent", "image_file", "now"]

_SEQUENCES_PER_RUN = 1_000_000_000


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
        self._db, self.made = open_database(path)
        """Whether the store was made just now: it knows of no file then."""
        (self.identity,) = self._db.execute(
            "SELECT value FROM facts WHERE name = 'identity'"
        ).fetchone()

    def close(self) -> None:
        """Write everything back into the one file."""
        self._db.close()

    @contextlib.contextmanager
    def _change(self) -> Generator[None]:
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
                is_full(error) or "disk I/O error" in str(error) or "unable to open" in str(error)
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
            self._add_job(NewJob(client, submit, accepted, now))

    def add_jobs(self, jobs: Sequence[NewJob]) -> list[str | None]:
        """New jobs in one transaction; for each None, or whose it is if its id was taken before."""
        owners: list[str | None] = []
        with self._change():
            for new in jobs:
                row = self._db.execute(
                    "SELECT client FROM jobs WHERE job = ?", (new.submit.job,)
                ).fetchone()
                owners.append(row[0] if row else None)
                if row is None:
                    self._add_job(new)
        return owners

    def _add_job(self, new: NewJob) -> None:
        job = new.submit.job
        self._db.execute(
            "INSERT INTO jobs (job, client, state, submit, created) VALUES (?,?,?,?,?)",
            (job, new.client, "queued", msgspec.json.encode(new.submit), new.created),
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO job_images VALUES (?, ?)",
            [(job, image.sha256) for image in new.submit.images.values()],
        )
        self._add_event(new.accepted.sequence, job, new.accepted)

    def job(self, job: str) -> JobRecord | None:
        """One job, or None."""
        row = self._db.execute(f"SELECT {JOB_COLUMNS} FROM jobs WHERE job = ?", (job,)).fetchone()
        return next(iter(read_jobs([row])), None) if row else None

    def jobs(self, client: str, most: int) -> list[JobRecord]:
        """The latest jobs of a client, newest first."""
        rows = self._db.execute(
            f"SELECT {JOB_COLUMNS} FROM jobs WHERE client = ? ORDER BY number DESC LIMIT ?",
            (client, most),
        )
        return read_jobs(rows)

    def unfinished(self) -> list[JobRecord]:
        """Jobs that were accepted and have not ended, in the order in which they shall run."""
        rows = self._db.execute(
            f"SELECT {JOB_COLUMNS} FROM jobs LEFT JOIN turns USING (job) "
            "WHERE state IN ('queued', 'running') ORDER BY coalesce(turn, number)"
        )
        return read_jobs(rows)

    def reorder(self, jobs: Sequence[str]) -> None:
        """Let these jobs run in this order after a restart: they change turns with each other."""
        query = "SELECT coalesce(turn, number) FROM jobs LEFT JOIN turns USING (job) WHERE job = ?"
        turns: dict[str, int] = {}
        with self._change():
            for job in jobs:
                for (turn,) in self._db.execute(query, (job,)):
                    turns[job] = turn
            self._db.executemany(
                "INSERT OR REPLACE INTO turns VALUES (?, ?)",
                zip(turns, sorted(turns.values()), strict=True),
            )

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
        return read_events(rows)

    def missed(self, client: str, after: int) -> list[StoredEvent]:
        """Events of a client's unacknowledged jobs with higher numbers than `after`."""
        rows = self._db.execute(
            "SELECT kind, body FROM events JOIN jobs USING (job) WHERE client = ? "
            "AND acknowledged IS NULL AND sequence > ? ORDER BY sequence",
            (client, after),
        )
        return read_events(rows)

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
            (sequence, job, NAMES[type(event)], msgspec.json.encode(event), position, file, size),
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

    def evict(self, need: int, quota: int, idle_before: float = float("inf")) -> Evicted:
        """Forget what nobody needs until `need` bytes fit into the quota.

        First images that no waiting job names and that were not used since `idle_before`, then
        the results of acknowledged jobs, then the other images that no job names; of each the
        oldest first.
        """
        over = self.used_bytes() + need - quota
        if over <= 0:
            return Evicted([], [], over)
        spare = self._db.execute(f"{_SPARE_IMAGES} ORDER BY used").fetchall()
        images = [name for name, _, used in spare if used < idle_before]
        late = [name for name, _, used in spare if used >= idle_before]
        sizes = {name: size for name, size, _ in spare}
        gone: list[str] = []
        victims: list[str] = []

        def drop(names: list[str]) -> None:
            nonlocal over
            while over > 0 and names:
                name = names.pop(0)
                gone.append(name)
                over -= sizes[name]

        drop(images)
        if over > 0:
            rows = self._db.execute(
                "SELECT job, coalesce(sum(bytes), 0) FROM jobs JOIN events USING (job) "
                "WHERE acknowledged IS NOT NULL GROUP BY job ORDER BY acknowledged, number"
            ).fetchall()
            for job, size in rows:
                if over <= 0:
                    break
                victims.append(job)
                over -= size
        drop(late)
        evicted = self._forget(victims)
        with self._change():
            self._db.executemany("DELETE FROM images WHERE sha256 = ?", [(name,) for name in gone])
        return Evicted(evicted.jobs, evicted.files + [image_file(name) for name in gone], over)

    def expire(self, ended_before: float, unused_before: float, looks: int = 1) -> Evicted:
        """Forget jobs that ended long ago, and images that no job needs any more.

        What nobody has fetched has to look old so many times: a clock that was wrong for a while
        must not cost it.
        """
        with self._change():
            self._db.execute("UPDATE jobs SET looks = looks + 1 WHERE ended < ?", (ended_before,))
        rows = self._db.execute(
            "SELECT job FROM jobs WHERE ended < ? AND (acknowledged IS NOT NULL OR looks >= ?)",
            (ended_before, looks),
        ).fetchall()
        evicted = self._forget([job for (job,) in rows])
        with self._change():
            rows = self._db.execute(
                "DELETE FROM images WHERE used < ? AND sha256 NOT IN "
                f"({_NEEDED_IMAGES}) RETURNING sha256",
                (unused_before,),
            ).fetchall()
        return Evicted(evicted.jobs, evicted.files + [image_file(name) for (name,) in rows])

    # ---- rows that were damaged

    def broken_jobs(self) -> list[tuple[str, str]]:
        """Job and client of every job of which some row cannot be read; to be given up."""
        broken: dict[str, str] = {}
        rows = self._db.execute(f"SELECT {JOB_COLUMNS}, ended, typeof(client) FROM jobs").fetchall()
        for *row, ended, kind in rows:
            if not is_job(tuple(row), ended):
                broken[str(row[0])] = row[1] if kind == "text" else ""
        events = self._db.execute(
            "SELECT kind, body, events.job, client FROM events JOIN jobs USING (job)"
        )
        for kind, body, job, client in events:
            if not is_event(kind, body):
                broken[str(job)] = str(client)
        return list(broken.items())

    def give_up(self, event: Failed, now: float) -> list[str]:
        """A damaged job has failed: only that is kept of it. Returns the files that go with it."""
        empty = msgspec.json.encode(Submit(event.job, Recipe("")))
        with self._change():
            rows = self._db.execute(
                "SELECT file FROM events WHERE job = ? AND typeof(file) = 'text'", (event.job,)
            ).fetchall()
            self._db.execute("DELETE FROM events WHERE job = ?", (event.job,))
            self._db.execute(
                "UPDATE jobs SET state='failed', submit=?, attempts=0, created=?, ended=?, "
                "acknowledged=NULL, code=?, message=?, hint=?, looks=0, client=CAST(client AS TEXT)"
                " WHERE job=?",
                (empty, now, now, event.code, event.message, event.hint, event.job),
            )
            if self._db.execute("SELECT 1 FROM jobs WHERE job = ?", (event.job,)).fetchone():
                self._add_event(event.sequence, event.job, event)
            else:
                # Not even its name is text.
                self._db.execute("DELETE FROM jobs WHERE typeof(job) <> 'text'")
        return [name for (name,) in rows]

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


_NEEDED_IMAGES = "SELECT sha256 FROM job_images JOIN jobs USING (job) WHERE ended IS NULL"
_SPARE_IMAGES = f"SELECT sha256, bytes, used FROM images WHERE sha256 NOT IN ({_NEEDED_IMAGES})"


def image_file(sha256: str) -> str:
    """File name of an image; the digest was computed here, from the pixels."""
    return f"image-{sha256}"


def now() -> float:
    """Wall clock, as the store keeps it: it must hold across restarts."""
    return time.time()
