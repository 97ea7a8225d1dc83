"""Endings of jobs that could not be written yet: told at once, and written when they can be."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace

from acetate.background_tasks import start_task
from acetate.jobs.async_store import Ledger
from acetate.jobs.records import JobRecord, JobState
from acetate.jobs.store import now
from acetate_bridge.protocol.messages import Cancelled, Done, Failed

log = logging.getLogger("acetate.jobs")

Ending = Done | Failed | Cancelled
_RETRY_SECONDS = 2.0


@dataclass
class _Late:
    client: str
    ending: Ending
    at: float
    acknowledged: bool = False


class UnwrittenEndings:
    """Belongs to one event loop. Without trouble it holds nothing."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._late: dict[str, _Late] = {}
        self._retrying: asyncio.Task[None] | None = None

    async def write(self, client: str, ending: Ending) -> None:
        """Write an ending down, now or as soon as that is possible; never raises."""
        late = _Late(client, ending, now())
        try:
            await self._write(late)
        except Exception as error:
            log.error(
                "the end of job %s cannot be written yet (%s)", ending.job, type(error).__name__
            )
            self._late[ending.job] = late
            if self._retrying is None or self._retrying.done():
                self._retrying = start_task(self._retry(), "unwritten endings")

    def missed(self, client: str, after: int) -> list[Ending]:
        """What a client has not heard of these."""
        return [
            late.ending
            for late in self._late.values()
            if late.client == client and late.ending.sequence > after and not late.acknowledged
        ]

    def over(self, record: JobRecord) -> JobRecord:
        """The record of a job as it will be once its ending is written."""
        late = self._late.get(record.job)
        if late is None:
            return record
        state: JobState = "done"
        code = message = hint = ""
        if isinstance(late.ending, Failed):
            state = "failed"
            code, message, hint = late.ending.code, late.ending.message, late.ending.hint
        elif isinstance(late.ending, Cancelled):
            state = "cancelled"
        return replace(
            record,
            state=state,
            code=code,
            message=message,
            hint=hint,
            acknowledged=late.acknowledged,
        )

    def acknowledge(self, client: str, job: str) -> bool:
        """The client has the results of such a job; False when it is none of these."""
        late = self._late.get(job)
        if late is None or late.client != client:
            return False
        late.acknowledged = True
        return True

    async def close(self) -> None:
        """Try a last time."""
        if self._retrying is not None:
            self._retrying.cancel()
        await self._try_all()

    async def _retry(self) -> None:
        while self._late:
            await asyncio.sleep(_RETRY_SECONDS)
            await self._try_all()

    async def _try_all(self) -> None:
        for job, late in list(self._late.items()):
            try:
                await self._write(late)
            except Exception:
                log.debug("job %s waits on", job)
                return
            self._late.pop(job, None)

    async def _write(self, late: _Late) -> None:
        store = self._ledger.store
        await self._ledger.call(store.end, late.ending.job, late.ending, late.at)
        if late.acknowledged:
            await self._ledger.call(store.acknowledge, late.client, late.ending.job, now())
