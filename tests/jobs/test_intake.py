"""Jobs that come at the same moment are written down together, and each is answered for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from acetate.jobs.records import DiskFull, FreshLayer, NewJob, Refused
from acetate.jobs.store import Store
from acetate_bridge import Done
from acetate_bridge.protocol.messages import Accepted
from tests.jobs.test_manager import House


class Writes:
    """How many jobs were written at once; refuses those whose id it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> None:
        self.sizes: list[int] = []
        written = Store.add_jobs

        def add_jobs(store: Store, jobs: Sequence[NewJob]) -> list[str | None]:
            self.sizes.append(len(jobs))
            if error is not None and any(new.submit.job == "job-0003" for new in jobs):
                raise error
            return written(store, jobs)

        monkeypatch.setattr(Store, "add_jobs", add_jobs)


async def test_jobs_that_come_together_share_one_write_and_keep_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = Writes(monkeypatch)
    async with House(tmp_path, "wait") as house:
        names = [f"job-{number:04}" for number in range(20)]
        taken = await asyncio.gather(*(house.submit(name) for name in names))
        assert len(writes.sizes) <= 2 and sum(writes.sizes) == 20
        assert [one.ahead for one in taken if one is not None] == list(range(20))
        kept = await house.ledger.call(house.ledger.store.unfinished)
        assert [record.job for record in kept] == names
        assert [event.job for event in house.heard if isinstance(event, Accepted)] == names


async def test_events_are_told_in_the_order_of_their_numbers_while_jobs_come(
    tmp_path: Path,
) -> None:
    async with House(tmp_path) as house:
        for round in range(10):
            first, *others = [f"job-{round}{number:03}" for number in range(5)]
            await asyncio.gather(*(house.submit(name) for name in (first, *others)))
            # The first ends at some moment while the next are being written down.
            await house.hear(Done, first)
        stored = [
            event.sequence
            for event in house.heard
            if isinstance(event, Accepted | FreshLayer | Done)
        ]
        assert stored == sorted(stored)


async def test_a_job_is_numbered_when_it_is_written_not_when_it_comes(tmp_path: Path) -> None:
    async with House(tmp_path, "wait") as house:
        asking = asyncio.ensure_future(house.submit("job-0001"))
        await asyncio.sleep(0)
        overtaking = house.manager._feed.next()
        taken = await asking
        assert taken is not None and taken.sequence > overtaking


async def test_a_job_that_cannot_be_written_leaves_the_others_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Writes(monkeypatch, ValueError("an odd one"))
    async with House(tmp_path, "wait") as house:
        names = [f"job-{number:04}" for number in range(6)]
        answers = await asyncio.gather(
            *(house.submit(name) for name in names), return_exceptions=True
        )
        assert [isinstance(answer, Accepted) for answer in answers] == [
            name != "job-0003" for name in names
        ]
        assert isinstance(answers[3], ValueError)


async def test_a_full_disk_is_said_to_all_who_wait_for_one_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Writes(monkeypatch, DiskFull())
    async with House(tmp_path) as house:
        names = [f"job-{number:04}" for number in range(4)]
        answers = await asyncio.gather(
            *(house.submit(name) for name in names), return_exceptions=True
        )
        assert isinstance(answers[3], DiskFull)
        kept = await house.ledger.call(house.ledger.store.unfinished)
        accepted = {answer.job for answer in answers if isinstance(answer, Accepted)}
        assert accepted == {record.job for record in kept}


async def test_a_job_on_disk_is_painted_when_nobody_waits_for_the_answer(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        asking = asyncio.ensure_future(house.submit("job-0001"))
        await asyncio.sleep(0)
        asking.cancel()
        await house.hear(Done, "job-0001")
        assert asking.cancelled()


async def test_jobs_on_their_way_count_among_those_that_wait(tmp_path: Path) -> None:
    async with House(tmp_path, "wait") as house:
        most = house.manager.limits.queued_jobs
        answers = await asyncio.gather(
            *(house.submit(f"job-{number:04}") for number in range(most + 5)),
            return_exceptions=True,
        )
        refused = [answer for answer in answers if isinstance(answer, Refused)]
        assert {error.code for error in refused} == {"too_many_jobs"} and len(refused) == 5
