"""From an accepted job to its ending: who paints it, what is kept of it, who hears of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

from acetate.background_tasks import start_task
from acetate.jobs.admission import check_submit
from acetate.jobs.async_store import Ledger
from acetate.jobs.availability import Offers
from acetate.jobs.event_feed import EventFeed, Notice, Subscriber
from acetate.jobs.fair_queue import FairQueue
from acetate.jobs.observation import Observation
from acetate.jobs.open_job import OpenJob
from acetate.jobs.records import (
    DiskFull,
    FreshLayer,
    JobRecord,
    MissingImages,
    Refused,
    StoredLayer,
)
from acetate.jobs.recovery import give_up_damaged
from acetate.jobs.store import now
from acetate.jobs.unwritten_endings import UnwrittenEndings
from acetate.logs import about_job
from acetate.workers.engine import (
    Announcement,
    Engine,
    EngineLost,
    Painted,
    PaintingCancelled,
    PaintingFailed,
    Previewed,
    Stepped,
)
from acetate_bridge.protocol.messages import (
    Accepted,
    Cancelled,
    Done,
    Failed,
    Limits,
    Preview,
    Progress,
    Submit,
)
from acetate_bridge.protocol.types import Recipe

log = logging.getLogger("acetate.jobs")

ATTEMPTS = 2

_DISK_FULL = ("disk_full", "The disk is full: the result could not be kept.", "Free some space.")


class Manager:
    """Owns the queue and the engines. All methods belong to one event loop."""

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
        self._free: list[Engine] = []
        self._queue = FairQueue()
        self._jobs: dict[str, OpenJob] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._feed = EventFeed()
        self._endings = UnwrittenEndings(ledger)
        self._submitting = asyncio.Lock()
        self._closing = False
        self._expiry: asyncio.Task[None] | None = None

    # ---- life

    async def open(self) -> None:
        """Take up what an earlier run left, and start the engines."""
        store = self._ledger.store
        self._feed.begin_after(await self._ledger.call(store.first_sequence))
        await give_up_damaged(self._ledger, self._feed.next)
        for record in await self._ledger.call(store.unfinished):
            job = self._jobs[record.job] = OpenJob(record)
            self.observation.accepted(record.job, record.submit.recipe.mode)
            if record.state == "running" and record.attempts >= ATTEMPTS:
                await self._fail(job, "server_died", "The server died twice while painting this.")
                continue
            if record.state == "running":
                await self._ledger.call(store.put_back, record.job, False)
            self._queue.add(record.client, record.job)
        self._expiry = start_task(self._ledger.keep_tidy(), "expiry")
        for engine in self._engines:
            await engine.start(lambda offer, name=engine.name: self.offers.announce(name, offer))
        self._free = list(self._engines)
        self._wake()

    async def close(self, grace: float) -> None:
        """Give running jobs `grace` seconds; what does not end in time waits for the next run."""
        self._closing = True
        if self._running:
            await asyncio.wait(self._running.values(), timeout=grace)
        for engine in self._engines:
            await engine.stop()
        # Without their engines the jobs put themselves back.
        await asyncio.gather(*self._running.values(), return_exceptions=True)
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
        return bool(self._jobs)

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
            await self._ledger.call(self._ledger.store.missed, client, after)
        )
        events += self._endings.missed(client, after)
        for job in self._jobs.values():
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
        async with self._submitting:
            known = await self._ledger.call(self._ledger.store.job, submit.job)
            if known is not None:
                if known.client != client:
                    raise Refused("job_taken", "Another client has a job with this id.")
                return None
            if self._queue.count(client) >= self.limits.queued_jobs:
                raise Refused(
                    "too_many_jobs",
                    f"{self.limits.queued_jobs} jobs of yours are waiting already.",
                    "Wait for one to end, or cancel some.",
                )
            if missing := await self._ledger.missing_images(submit):
                raise MissingImages(missing)
            accepted = Accepted(submit.job, self._feed.next(), self._queue.ahead(client))
            created = now()
            await self._ledger.call(self._ledger.store.add_job, client, submit, accepted, created)
            self._jobs[submit.job] = OpenJob(
                JobRecord(submit.job, client, "queued", submit, 0, created)
            )
        self.observation.accepted(submit.job, submit.recipe.mode)
        self._feed.publish(client, accepted)
        self._queue.add(client, submit.job)
        self._wake()
        return accepted

    async def cancel(self, client: str, job_id: str) -> bool:
        """Stop a job of this client; False when there is none that could be stopped."""
        job = self._jobs.get(job_id)
        if job is None or job.record.client != client:
            return False
        if job.cancelled:
            return True
        job.cancelled = True
        if self._queue.remove(client, job_id):
            await self._end(job, Cancelled(job_id, 0))
        elif job.engine is not None:
            job.engine.cancel(job_id)
        return True

    def promote(self, client: str, job_id: str) -> bool:
        """Paint this job before the client's others; False when it does not wait."""
        return self._queue.promote(client, job_id)

    async def acknowledge(self, client: str, job_id: str) -> bool:
        """The client has what it asked for; False when the job has not ended."""
        if self._endings.acknowledge(client, job_id):
            return True
        return await self._ledger.call(self._ledger.store.acknowledge, client, job_id, now())

    async def record(self, client: str, job_id: str) -> JobRecord | None:
        """A job of this client."""
        record = await self._ledger.call(self._ledger.store.job, job_id)
        if record is None or record.client != client:
            return None
        return self._endings.over(record)

    async def jobs(self, client: str, most: int) -> list[JobRecord]:
        """The latest jobs of a client, newest first."""
        records = await self._ledger.call(self._ledger.store.jobs, client, most)
        return [self._endings.over(record) for record in records]

    def progress(self, job_id: str) -> Progress | None:
        """Where a running job is."""
        job = self._jobs.get(job_id)
        return job.progress if job else None

    # ---- painting

    def _wake(self) -> None:
        """Give waiting jobs to free engines."""
        while self._free and not self._closing and (job_id := self._queue.take()):
            engine = self._free.pop(0)
            job = self._jobs[job_id]
            job.engine = engine
            self._running[job_id] = start_task(self._run(job, engine), job_id)

    async def _run(self, job: OpenJob, engine: Engine) -> None:
        with about_job(job.record.job, job.record.submit.recipe):
            try:
                await self._paint(job, engine)
            except Exception:
                log.exception("job %s could not be followed", job.record.job)
                sentence = "The server met a fault of its own."
                await self._fail(job, "internal", sentence, "See its log.")
            finally:
                job.engine = None
                del self._running[job.record.job]
                self._free.append(engine)
                self._wake()

    async def _paint(self, job: OpenJob, engine: Engine) -> None:
        """One attempt, to its ending or back into the queue."""
        store, job_id = self._ledger.store, job.record.job
        attempts = 0
        try:
            attempts = await self._ledger.call(store.begin, job_id)
            self.observation.begun(job_id, engine.name, attempts)
            request = await self._ledger.request(job.record.submit)
            done = {layer.index for layer in await self._ledger.call(store.layers, job_id)}
            if job.cancelled:
                raise PaintingCancelled
            index = 0
            async with contextlib.aclosing(engine.paint(job_id, request)) as events:
                async for event in events:
                    match event:
                        case Stepped():
                            self._progress(job, event)
                        case Previewed():
                            preview = Preview(job_id, self._feed.next(), event.image, event.variant)
                            self._feed.publish(job.record.client, preview)
                        case Painted():
                            if index not in done:
                                await self._keep(job, index, event)
                            index += 1
            recipe = await self._final_recipe(job)
            await self._end(job, Done(job_id, 0, recipe, index))
        except PaintingCancelled:
            await self._end(job, Cancelled(job_id, 0))
        except (PaintingFailed, Refused) as error:
            await self._fail(job, error.code, error.message, error.hint)
        except DiskFull:
            await self._fail(job, *_DISK_FULL)
        except EngineLost as error:
            await self._lost(job, attempts, error)

    async def _lost(self, job: OpenJob, attempts: int, error: EngineLost) -> None:
        """The engine died: stop if we are closing or were cancelled, try once more, or give up."""
        job_id = job.record.job
        if self._closing:
            with contextlib.suppress(DiskFull, Refused):
                # If even that cannot be noted, the next run finds it running, and goes on.
                await self._ledger.call(self._ledger.store.put_back, job_id, True)
        elif job.cancelled:
            await self._end(job, Cancelled(job_id, 0))
        elif attempts < ATTEMPTS:
            log.warning("job %s: %s; trying once more", job_id, error)
            await self._ledger.call(self._ledger.store.put_back, job_id, False)
            self.observation.put_back(job_id)
            self._queue.add(job.record.client, job_id, first=True)
        else:
            await self._fail(
                job,
                "worker_lost",
                f"The job was tried twice and could not be painted: {error}.",
                "Try a smaller size or fewer variants; the server's log says more.",
            )

    def _progress(self, job: OpenJob, event: Stepped) -> None:
        job.progress = Progress(
            job.record.job,
            self._feed.next(),
            event.stage,
            event.step,
            event.steps,
            event.seconds_left,
            event.note,
        )
        self._feed.publish(job.record.client, job.progress)

    async def _keep(self, job: OpenJob, index: int, painted: Painted) -> None:
        """Store a layer, then tell of it."""
        layer, job_id = painted.layer, job.record.job
        file = f"layer-{uuid.uuid4().hex}"
        await self._ledger.keep_layer(file, layer.image)
        stored = StoredLayer(
            self._feed.next(),
            job_id,
            index,
            painted.variant,
            layer.role,
            layer.name,
            layer.x,
            layer.y,
            layer.recipe,
            layer.image.width,
            layer.image.height,
            layer.image.format,
            file,
        )
        try:
            await self._ledger.call(self._ledger.store.add_layer, stored, len(layer.image.data))
        except DiskFull:
            self._ledger.remove_files(file)
            raise
        self.observation.painted_bytes += len(layer.image.data)
        job.recipe = job.recipe or layer.recipe
        self._feed.publish(job.record.client, FreshLayer(stored, layer.image.data))

    async def _final_recipe(self, job: OpenJob) -> Recipe:
        """The recipe as it was really painted: that of the first layer."""
        if job.recipe is None:
            layers = await self._ledger.call(self._ledger.store.layers, job.record.job)
            job.recipe = next((layer.recipe for layer in layers if layer.recipe), None)
        return job.recipe or job.record.submit.recipe

    async def _fail(self, job: OpenJob, code: str, message: str, hint: str = "") -> None:
        await self._end(job, Failed(job.record.job, 0, code, message, hint))

    async def _end(self, job: OpenJob, ending: Done | Failed | Cancelled) -> None:
        """Write the ending down and tell of it; what cannot be written now is kept and told."""
        ending = replace(ending, sequence=self._feed.next())
        await self._endings.write(job.record.client, ending)
        self._jobs.pop(job.record.job, None)
        self.observation.over(ending)
        self._feed.publish(job.record.client, ending)
