"""The form of the job store: made, brought up to date, and looked over before it is used."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import uuid
from pathlib import Path

from acetate.jobs.disk_space import is_full
from acetate.jobs.records import DiskFull

VERSION = 2
BUSY_SECONDS = 0.25
"""How long a single call waits for another program; the caller tries again."""
_OPENING_SECONDS = 15.0
_LEAST_FREE = 512 * 1024

_SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE jobs (
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
    hint TEXT NOT NULL DEFAULT '',
    looks INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX jobs_by_client ON jobs (client, acknowledged);
CREATE TABLE events (
    sequence INTEGER PRIMARY KEY,
    job TEXT NOT NULL REFERENCES jobs (job) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    body BLOB NOT NULL,
    position INTEGER,
    file TEXT,
    bytes INTEGER NOT NULL DEFAULT 0,
    UNIQUE (job, position)
);
CREATE INDEX events_by_job ON events (job);
CREATE TABLE images (
    sha256 TEXT PRIMARY KEY, bytes INTEGER NOT NULL, used REAL NOT NULL
);
CREATE TABLE job_images (
    job TEXT NOT NULL REFERENCES jobs (job) ON DELETE CASCADE,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (job, sha256)
);
CREATE INDEX job_images_by_image ON job_images (sha256);
"""

_LATER = """
CREATE TABLE IF NOT EXISTS turns (
    job TEXT PRIMARY KEY REFERENCES jobs (job) ON DELETE CASCADE,
    turn INTEGER NOT NULL
);
"""
"""What an older program need not know: it leaves this alone, and paints in the order of coming."""

_MIGRATIONS: dict[int, tuple[str, ...]] = {
    1: ("ALTER TABLE jobs ADD COLUMN looks INTEGER NOT NULL DEFAULT 0",),
}
"""What makes a store of this version one of the next."""

_COLUMNS: dict[str, set[str]] = {
    "facts": {"name", "value"},
    "jobs": {
        "number", "job", "client", "state", "submit", "attempts", "created", "ended",
        "acknowledged", "code", "message", "hint", "looks",
    },
    "events": {"sequence", "job", "kind", "body", "position", "file", "bytes"},
    "images": {"sha256", "bytes", "used"},
    "job_images": {"job", "sha256"},
}  # fmt: skip


class StoreDamaged(Exception):
    """The database cannot be used; the text says what to do."""


def open_database(path: Path) -> tuple[sqlite3.Connection, bool]:
    """The database at a path, of the present version, and whether it was made just now.

    Raises StoreDamaged or DiskFull; what is there is never changed by a failure.
    """
    try:
        db = sqlite3.connect(
            path, timeout=_OPENING_SECONDS, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise _trouble(path, error) from error
    try:
        made = _prepare(db, path)
    except sqlite3.Error as error:
        db.close()
        raise _trouble(path, error) from error
    except BaseException:
        db.close()
        raise
    db.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")
    return db, made


def _prepare(db: sqlite3.Connection, path: Path) -> bool:
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA foreign_keys=ON")
    if not tables:
        _make(db)
        db.execute(_LATER)
        return True
    (answer,) = db.execute("PRAGMA quick_check").fetchone()
    if answer != "ok":
        raise StoreDamaged(_move_away(path, "it is damaged"))
    if "facts" not in tables:
        raise StoreDamaged(_move_away(path, "it is none of Acetate's"))
    _migrate(db, path, _version(db, path))
    _look_over(db, path)
    db.execute(_LATER)
    return False


def _make(db: sqlite3.Connection) -> None:
    """All of it or nothing: a server that is killed here finds an empty store the next time."""
    facts = (("version", str(VERSION)), ("identity", uuid.uuid4().hex), ("sequence", "0"))
    values = ", ".join(f"('{name}', '{value}')" for name, value in facts)
    try:
        db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} INSERT INTO facts VALUES {values}; COMMIT;")
    except sqlite3.Error:
        with contextlib.suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise


def _version(db: sqlite3.Connection, path: Path) -> int:
    row = db.execute("SELECT value FROM facts WHERE name = 'version'").fetchone()
    text = str(row[0]) if row else "1"
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 10**6):
        raise StoreDamaged(_move_away(path, f"its version is {text[:20]!r}"))
    if int(text) > VERSION:
        raise StoreDamaged(
            f"The job store {path} was written by a newer version of Acetate "
            f"(version {text} of the store): update Acetate, or name another --data-dir."
        )
    return int(text)


def _migrate(db: sqlite3.Connection, path: Path, version: int) -> None:
    """Bring the store up to date, step by step, each with a copy of what was before."""
    while version < VERSION:
        copy = path.with_name(f"{path.name}.version-{version}")
        try:
            copy.unlink(missing_ok=True)
            db.execute("VACUUM INTO ?", (str(copy),))
            os.chmod(copy, 0o600)
            db.execute("BEGIN IMMEDIATE")
            for statement in _MIGRATIONS[version]:
                db.execute(statement)
            db.execute("UPDATE facts SET value = ? WHERE name = 'version'", (str(version + 1),))
            db.execute("INSERT OR IGNORE INTO facts VALUES ('version', ?)", (str(version + 1),))
            db.execute("COMMIT")
        except (OSError, sqlite3.Error) as error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            if "no such table" in str(error) or "duplicate column" in str(error):
                raise StoreDamaged(_move_away(path, "its form is not Acetate's")) from error
            raise
        version += 1


def _look_over(db: sqlite3.Connection, path: Path) -> None:
    for table, columns in _COLUMNS.items():
        found = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
        if lacking := sorted(columns - found):
            raise StoreDamaged(_move_away(path, f"its table {table} has no column {lacking[0]}"))
    for name, value in db.execute("SELECT name, value FROM facts").fetchall():
        if name == "sequence" and not (
            isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19
        ):
            raise StoreDamaged(_move_away(path, "its number of the last event cannot be read"))
    with contextlib.suppress(sqlite3.IntegrityError):
        db.execute("INSERT INTO facts VALUES ('identity', ?)", (uuid.uuid4().hex,))


def _move_away(path: Path, why: str) -> str:
    return (
        f"The job store {path} cannot be used ({why}): move this one file away and start again. "
        "The results beside it are then set aside, not deleted."
    )


def _trouble(path: Path, error: sqlite3.Error) -> Exception:
    """What a failure of the database at the start means for whoever starts the server."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreDamaged(_move_away(path, str(error)))
    if is_full(error) or _nearly_full(path):
        return DiskFull()
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreDamaged(
            f"Another program holds the job store {path}: close it and start again."
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return StoreDamaged(
            f"The job store {path} cannot be written: its disk or folder is read-only. "
            "Name another folder with --data-dir."
        )
    return StoreDamaged(
        f"The job store {path} cannot be opened ({error}): "
        "look at the disk, and at who may write to the folder."
    )


def _nearly_full(path: Path) -> bool:
    """Where there is no room, SQLite speaks of files that cannot be opened, and of the disk."""
    try:
        return shutil.disk_usage(path.parent).free < _LEAST_FREE
    except OSError:
        return False
