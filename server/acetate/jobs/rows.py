"""Rows of the store as values: what was damaged is left out, and said."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import msgspec

from acetate.jobs.records import ENDED, JobRecord, StoredLayer
from acetate_bridge.protocol.messages import Accepted, Cancelled, Done, Failed, Submit

log = logging.getLogger("acetate.jobs")

StoredEvent = Accepted | StoredLayer | Done | Failed | Cancelled
KINDS: dict[str, type[Any]] = {
    "accepted": Accepted,
    "layer": StoredLayer,
    "done": Done,
    "failed": Failed,
    "cancelled": Cancelled,
}
NAMES = {kind: name for name, kind in KINDS.items()}


JOB_COLUMNS = "job, client, state, submit, attempts, created, code, message, hint, acknowledged"


def read_jobs(rows: Iterable[tuple[Any, ...]]) -> list[JobRecord]:
    """The jobs in rows of `JOB_COLUMNS`."""
    found: list[JobRecord] = []
    for row in rows:
        try:
            found.append(_record(row))
        except (msgspec.MsgspecError, TypeError, ValueError):
            log.error("a job in the job store cannot be read")
    return found


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


def read_events(rows: Iterable[tuple[str, bytes]]) -> list[Any]:
    """The events in these rows; one that was damaged since the start is left out, and said."""
    found: list[Any] = []
    for kind, body in rows:
        try:
            found.append(msgspec.json.decode(body, type=KINDS[kind]))
        except (msgspec.MsgspecError, KeyError, TypeError, ValueError):
            log.error("an event in the job store cannot be read")
    return found


def is_event(kind: Any, body: Any) -> bool:
    """Whether a row of the events can be read."""
    try:
        msgspec.json.decode(body, type=KINDS[kind])
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError):
        return False
    return True


def is_job(row: tuple[Any, ...], ended: Any) -> bool:
    """Whether a row of the jobs is as this store writes them."""
    job, client, state, submit, attempts, created, code, message, hint, acknowledged = row
    texts = all(isinstance(text, str) for text in (job, client, code, message, hint))
    numbers = isinstance(attempts, int) and isinstance(created, (int, float))
    times = all(time is None or isinstance(time, (int, float)) for time in (ended, acknowledged))
    over = state in ENDED
    if not (texts and numbers and times and over == (ended is not None)):
        return False
    if not over and state not in ("queued", "running"):
        return False
    try:
        return msgspec.json.decode(submit, type=Submit).job == job
    except (msgspec.MsgspecError, TypeError, ValueError):
        return False
