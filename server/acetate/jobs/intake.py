"""Accepted jobs on their way to the disk: all that come while one write runs share the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from acetate.background_tasks import start_task
from acetate.jobs.async_store import Ledger
from acetate.jobs.records import DiskFull, NewJob, Refused

_MOST_TOGETHER = 256


class Intake:
    """Belongs to one event loop. A job that is on disk is taken, whoever still waits for that."""

    def __init__(self, ledger: Ledger, taken: Callable[[NewJob], None]) -> None:
        """`taken` is called with each job once it is on disk, in the order in which they came."""
        self._ledger, self._taken = ledger, taken
        self._coming: list[tuple[NewJob, asyncio.Future[str | None]]] = []
        self._writing: list[tuple[NewJob, asyncio.Future[str | None]]] = []
        self._writer: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._coming) + len(self._writing)

    def count(self, client: str) -> int:
        """Jobs of this client that are not on disk yet."""
        return sum(job.client == client for job, _ in (*self._writing, *self._coming))

    async def take(self, job: NewJob) -> str | None:
        """Write a job down; returns whose it is where its id was taken before.

        Raises DiskFull or Refused.
        """
        written: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
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

    async def _write(self, jobs: list[tuple[NewJob, asyncio.Future[str | None]]]) -> None:
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
                written.set_result(owner)
