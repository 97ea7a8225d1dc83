"""What clients may do with jobs, submit, cancel, follow, acknowledge; and who hears of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from acetate.background_tasks import start_task
from acetate.jobs.admission import check_submit
from acetate.jobs.async_store import Ledger
from acetate.jobs.availability import Offers
from acetate.jobs.damaged_jobs import give_up_damaged
from acetate.jobs.event_feed import EventFeed, Notice, Subscriber
from acetate.jobs.intake import Intake
from acetate.jobs.observation import Observation
from acetate.jobs.open_job import OpenJob
from acetate.jobs.queue_runner import QueueRunner
from acetate.jobs.queue_watch import QueueWatch, Watcher
from acetate.jobs.records import DiskFull, JobRecord, MissingImages, NewJob, Refused
from acetate.jobs.store import now
from acetate.jobs.unwritten_endings import UnwrittenEndings
from acetate.workers.engine import Announcement, Engine, is_selective
from acetate_bridge.protocol.messages import Accepted, Limits, Progress, Submit


class Manager:
    """The face of the queue. All methods belong to one event loop."""

    def __init__(
        self,
        ledger: Ledger,
        engines: Sequence[Engine],
        limits: Limits,
        expected: Callable[[], Announcement | None] | None = None,
    ) -> None:
        """`expected` is what can be used as far as is known before an engine has said so."""
        self.limits, self._expected = limits, expected or (lambda: None)
        self.offers, self.observation = Offers(), Observation()
        self._ledger = ledger
        self._engines = list(engines)
        self._feed = EventFeed()
        self._endings = UnwrittenEndings(ledger)
        self._runner = QueueRunner(
            ledger,
            engines,
            self._feed,
            self._endings,
            self.observation,
            lambda engine, model: self.offers.suits(engine.name, model, is_selective(engine)),
        )
        self._watch = QueueWatch(self._runner.queue)
        self._intake = Intake(ledger, self._feed.next, self._take_up)
        self._expiry: asyncio.Task[None] | None = None

    # ---- life

    async def open(self) -> None:
        """Take up what an earlier run left, and start the engines."""
        store = self._ledger.store
        self._feed.begin_after(await self._ledger.call(store.first_sequence))
        await give_up_damaged(self._ledger, self._feed.next)
        for record in await self._ledger.call(store.unfinished):
            await self._runner.take_up(record)
        self._expiry = start_task(self._ledger.keep_tidy(), "expiry")
        for engine in self._engines:
            chosen = is_selective(engine)
            await engine.start(
                lambda offer, name=engine.name, chosen=chosen: self.offers.announce(
                    name, offer, chosen
                )
            )
        self._runner.start()

    async def close(self, grace: float) -> None:
        """Give running jobs `grace` seconds; what does not end in time waits for the next run."""
        await self._runner.close(grace)
        await self._endings.close()
        if self._expiry is not None:
            self._expiry.cancel()

    @property
    def engines(self) -> Sequence[Engine]:
        """What paints."""
        return tuple(self._engines)

    @property
    def busy(self) -> bool:
        """Whether any job waits or runs."""
        return bool(self._runner.jobs)

    @property
    def store_identity(self) -> str:
        """Names the store whose sequence numbers these are."""
        return self._ledger.store.identity

    @property
    def offer(self) -> Announcement | None:
        """What can be used, or None before the first engine is ready."""
        return self.offers.now

    def look_again(self) -> None:
        """Models have come or gone: let all engines look at what they have."""
        for engine in self._engines:
            engine.look_again()

    async def renew_offer(self, seconds: float) -> None:
        """Look again, and wait that long for the engines; one that paints looks after its job."""
        words = [
            start_task(self.offers.announced_by(engine.name), "look") for engine in self._engines
        ]
        await asyncio.sleep(0)  # They listen before anybody is asked.
        self.look_again()
        _, late = await asyncio.wait(words, timeout=seconds)
        for task in late:
            task.cancel()

    # ---- what clients do

    def subscribe(self, client: str, subscriber: Subscriber) -> Callable[[], None]:
        """Hear of this client's jobs from now on; call what is returned to stop."""
        return self._feed.subscribe(client, subscriber)

    async def missed(self, client: str, after: int) -> list[Notice]:
        """Events with higher numbers than `after`, then the progress of what runs."""
        events: list[Notice] = list(
            await self._ledger.read(self._ledger.store.missed, client, after)
        )
        events += self._endings.missed(client, after)
        for job in self._runner.jobs.values():
            if job.record.client == client and job.progress is not None:
                events.append(job.progress)
        return events

    async def submit(self, client: str, submit: Submit) -> Accepted | None:
        """Take a job; it is on disk when this returns. None: it was taken before.

        Raises Refused, MissingImages, DiskFull.
        """
        offer = self.offer or await asyncio.to_thread(self._expected)
        check_submit(submit, self.limits, offer)
        if submit.frame is not None:
            size = submit.frame.size
            recipe = replace(submit.recipe, width=size.width, height=size.height)
            submit = replace(submit, recipe=recipe)
        if submit.images or self._is_full(client):
            # A repeat is known as one, whatever has filled up or gone since.
            known = await self._ledger.read(self._ledger.store.job, submit.job)
            if known is not None:
                return self._taken_before(known.client, client)
            if not self._is_full(client) and (missing := await self._ledger.missing_images(submit)):
                raise MissingImages(missing)
        if self._is_full(client):
            raise Refused(
                "too_many_jobs",
                f"{self.limits.queued_jobs} jobs of yours are waiting already.",
                "Wait for one to end, or cancel some.",
            )
        ahead = self._runner.queue.ahead(client) + len(self._intake)
        new = NewJob(client, submit, Accepted(submit.job, 0, ahead), now())
        taken = await self._intake.take(new)
        return taken if isinstance(taken, Accepted) else self._taken_before(taken, client)

    def _is_full(self, client: str) -> bool:
        """Whether as many jobs of a client wait as may."""
        waiting = self._runner.queue.count(client) + self._intake.count(client)
        return waiting >= self.limits.queued_jobs

    def _taken_before(self, owner: str, client: str) -> None:
        if owner != client:
            raise Refused("job_taken", "Another client has a job with this id.")

    def _take_up(self, new: NewJob) -> None:
        """A job is on disk: tell so, and let it wait for its turn."""
        record = new.record
        self._runner.jobs[record.job] = OpenJob(record)
        self._feed.publish(record.client, new.accepted)
        self._runner.add(record)

    async def cancel(self, client: str, job_id: str) -> bool:
        """Stop a job of this client; False when there is none that could be stopped."""
        return await self._runner.cancel(client, job_id)

    async def promote(self, client: str, job_id: str) -> bool:
        """Paint this job before the client's others; False when it does not wait."""
        return await self._keep_order(client, self._runner.queue.promote(client, job_id))

    async def move(self, client: str, job_id: str, before: str) -> bool:
        """Paint a job before another of this client (empty: last); False when one of them does not
        wait."""
        return await self._keep_order(client, self._runner.queue.move(client, job_id, before))

    async def _keep_order(self, client: str, changed: bool) -> bool:
        """The order that a client has chosen outlives the server; a store in need may lose it."""
        if changed:
            with contextlib.suppress(Refused, DiskFull):
                await self._ledger.call(self._ledger.store.reorder, self._watch.of(client).jobs)
        return changed

    def watch_queue(self, client: str, watcher: Watcher) -> Callable[[], None]:
        """Hear how this client's waiting jobs stand; call what is returned to stop."""
        return self._watch.watch(client, watcher)

    def waiting(self, client: str) -> dict[str, int]:
        """The waiting jobs of a client in their order, and how many stand before each."""
        queue = self._watch.of(client)
        return dict(zip(queue.jobs, queue.ahead, strict=True))

    async def acknowledge(self, client: str, job_id: str) -> bool:
        """The client has what it asked for; False when the job has not ended."""
        if self._endings.acknowledge(client, job_id):
            return True
        return await self._ledger.call(self._ledger.store.acknowledge, client, job_id, now())

    async def record(self, client: str, job_id: str) -> JobRecord | None:
        """A job of this client."""
        record = await self._ledger.read(self._ledger.store.job, job_id)
        if record is None or record.client != client:
            return None
        return self._endings.over(record)

    async def jobs(self, client: str, most: int) -> list[JobRecord]:
        """The latest jobs of a client, newest first."""
        records = await self._ledger.read(self._ledger.store.jobs, client, most)
        return [self._endings.over(record) for record in records]

    def progress(self, job_id: str) -> Progress | None:
        """Where a running job is."""
        job = self._runner.jobs.get(job_id)
        return job.progress if job else None
