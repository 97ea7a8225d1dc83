"""Accepted jobs on their way to the disk: all that come while one write runs share the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from acetate.background_tasks import start_task
from acetate.jobs.async_store import Ledger
from acetate.jobs.records import DiskFull, NewJob, Refused
from acetate_bridge.protocol.messages import Accepted

_MOST_TOGETHER = 256

_Coming = tuple[NewJob, asyncio.Future[Accepted | str]]


class Intake:
    """Belongs to one event loop. A job that is on disk is taken, whoever still waits for that."""

    def __init__(
        self, ledger: Ledger, number: Callable[[], int], taken: Callable[[NewJob], None]
    ) -> None:
        """`taken` is called with each job once it is on disk, in the order in which they came;
        `number` gives the next event's."""
        self._ledger, self._number, self._taken = ledger, number, taken
        self._coming: list[_Coming] = []
        self._writing: list[_Coming] = []
        self._writer: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._coming) + len(self._writing)

    def count(self, client: str) -> int:
        """Jobs of this client that are not on disk yet."""
        return sum(job.client == client for job, _ in (*self._writing, *self._coming))

    async def take(self, job: NewJob) -> Accepted | str:
        """Write a job down and number its event; returns whose it is if its id was taken before.

        Raises DiskFull or Refused.
        """
        written: asyncio.Future[Accepted | str] = asyncio.get_running_loop().create_future()
        self._coming.append((job, written))
        if self._writer is None:
            self._writer = start_task(self._write_all(), "intake")
        return await written

    async def _write_all(self) -> None:
        try:
            while self._coming:
                self._writing = self._coming[:_MOST_TOGETHER]
                del self._coming[:_MOST_TOGETHER]
                await self._write(self._writing)
                self._writing = []
        finally:
            self._writer, self._writing = None, []

    async def _write(self, coming: list[_Coming]) -> None:
        # Numbered only now: whatever is written before these has a lower number, and a client takes
        # an event that comes after a higher one for one that it has heard.
        jobs = [(_numbered(job, self._number()), written) for job, written in coming]
        try:
            store = self._ledger.store
            owners = await self._ledger.call(store.add_jobs, [job for job, _ in jobs])
        except Exception as error:
            if len(jobs) > 1 and not isinstance(error, DiskFull | Refused):
                # Whatever is wrong with one of them is its own affair.
                for each in jobs:
                    await self._write([each])
                return
            for _, written in jobs:
                if not written.done():
                    written.set_exception(error)
            return
        for (job, written), owner in zip(jobs, owners, strict=True):
            if owner is None:
                self._taken(job)
            if not written.done():
                written.set_result(job.accepted if owner is None else owner)


def _numbered(job: NewJob, sequence: int) -> NewJob:
    return replace(job, accepted=replace(job.accepted, sequence=sequence))
