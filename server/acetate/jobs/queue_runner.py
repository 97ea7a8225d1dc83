"""Paints what waits: gives jobs to free engines and brings each to its ending."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from acetate.background_tasks import start_task
from acetate.errors import Interrupted
from acetate.jobs.async_store import Ledger
from acetate.jobs.event_feed import EventFeed
from acetate.jobs.fair_queue import FairQueue
from acetate.jobs.observation import Observation
from acetate.jobs.open_job import OpenJob
from acetate.jobs.placement import Placement
from acetate.jobs.records import DiskFull, FreshLayer, JobRecord, Refused, StoredLayer
from acetate.jobs.retries import AfterLoss, after_loss, may_try_again
from acetate.jobs.unwritten_endings import UnwrittenEndings
from acetate.logs import about_job
from acetate.workers.engine import Engine, EngineLost, Painted, PaintingFailed
from acetate_bridge.protocol.messages import Cancelled, Done, Failed, Preview, Progress
from acetate_bridge.protocol.types import Recipe

log = logging.getLogger("acetate.jobs")

Passing = TypeVar("Passing", Progress, Preview)


class QueueRunner:
    """Owns the queue, the open jobs and the free engines. Belongs to one event loop."""

    def __init__(
        self,
        ledger: Ledger,
        engines: Sequence[Engine],
        feed: EventFeed,
        endings: UnwrittenEndings,
        observation: Observation,
        can: Callable[[Engine, str], bool] = lambda engine, model: True,
    ) -> None:
        """`can` says whether an engine has a model."""
        self.queue = FairQueue()
        self.jobs: dict[str, OpenJob] = {}
        self._ledger, self._feed, self._endings = ledger, feed, endings
        self._observation = observation
        self._engines = list(engines)
        self._placement: Placement[Engine] = Placement(
            self.queue, lambda job: self.jobs[job].record.submit.recipe.model, can
        )
        self._running: dict[str, asyncio.Task[None]] = {}
        self._closing = False

    async def take_up(self, record: JobRecord) -> None:
        """Go on with a job of an earlier run, unless the server has died of it twice."""
        job = self.jobs[record.job] = OpenJob(record)
        self._observation.accepted(record.job, record.submit.recipe.mode)
        if record.state == "running" and not may_try_again(record.attempts):
            await self._fail(job, "server_died", "The server died twice while painting this.")
            return
        if record.state == "running":
            await self._ledger.call(self._ledger.store.put_back, record.job, False)
        self.queue.add(record.client, record.job)

    def start(self) -> None:
        """All engines have been started: give them what waits."""
        for engine in self._engines:
            self._placement.release(engine)
        self._wake()

    def add(self, record: JobRecord) -> None:
        """A job that is on disk waits for its turn."""
        self._observation.accepted(record.job, record.submit.recipe.mode)
        self.queue.add(record.client, record.job)
        self._wake()

    async def cancel(self, client: str, job_id: str) -> bool:
        """Stop a job of this client; False when there is none that could be stopped."""
        job = self.jobs.get(job_id)
        if job is None or job.record.client != client:
            return False
        if job.cancelled:
            return True
        job.cancelled = True
        if self.queue.remove(client, job_id):
            await self._end(job, Cancelled(job_id, 0))
        elif job.engine is not None:
            job.engine.cancel(job_id)
        return True

    async def close(self, grace: float) -> None:
        """Give running jobs `grace` seconds; what does not end in time waits for the next run."""
        self._closing = True
        if self._running:
            await asyncio.wait(self._running.values(), timeout=grace)
        for engine in self._engines:
            await engine.stop()
        # Without their engines the jobs put themselves back.
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _wake(self) -> None:
        """Give waiting jobs to free engines."""
        while not self._closing and (chosen := self._placement.choose()):
            job_id, engine = chosen
            job = self.jobs[job_id]
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
                self._placement.release(engine)
                self._wake()

    async def _paint(self, job: OpenJob, engine: Engine) -> None:
        """One attempt, to its ending or back into the queue."""
        store, job_id = self._ledger.store, job.record.job
        attempts = 0
        try:
            attempts = await self._ledger.call(store.begin, job_id)
            self._observation.begun(job_id, engine.name, attempts)
            request = await self._ledger.request(job.record.submit)
            done = {layer.index for layer in await self._ledger.read(store.layers, job_id)}
            if job.cancelled:
                raise Interrupted
            index = 0
            async with contextlib.aclosing(engine.paint(job_id, request)) as events:
                async for event in events:
                    match event:
                        case Progress():
                            job.progress = self._publish(job, event)
                        case Preview():
                            self._publish(job, event)
                        case Painted():
                            if index not in done:
                                await self._keep(job, index, event)
                            index += 1
            recipe = await self._final_recipe(job)
            await self._end(job, Done(job_id, 0, recipe, index))
        except Interrupted:
            await self._end(job, Cancelled(job_id, 0))
        except (PaintingFailed, Refused) as error:
            await self._fail(job, error.code, error.message, error.hint)
        except DiskFull:
            kept = len(await self._ledger.read(store.layers, job_id))
            await self._fail(job, "disk_full", _no_space(kept), "Free some space.")
        except EngineLost as error:
            await self._lost(job, attempts, error)

    async def _lost(self, job: OpenJob, attempts: int, error: EngineLost) -> None:
        """The engine died: stop if we are closing or were cancelled, try once more, or give up."""
        job_id = job.record.job
        match after_loss(attempts, job.cancelled, self._closing):
            case AfterLoss.NEXT_START:
                with contextlib.suppress(DiskFull, Refused):
                    # If even that cannot be noted, the next run finds it running, and goes on.
                    await self._ledger.call(self._ledger.store.put_back, job_id, True)
            case AfterLoss.CANCELLED:
                await self._end(job, Cancelled(job_id, 0))
            case AfterLoss.AGAIN:
                log.warning("job %s: %s; trying once more", job_id, error)
                await self._ledger.call(self._ledger.store.put_back, job_id, False)
                self._observation.put_back(job_id)
                self.queue.add(job.record.client, job_id, first=True)
            case AfterLoss.FAILED:
                sentence = f"The job was tried twice and could not be painted: {error}."
                cure = "Try a smaller size or fewer variants; the server's log says more."
                await self._fail(job, "worker_lost", sentence, cure)

    def _publish(self, job: OpenJob, event: Passing) -> Passing:
        """Tell of what is not kept, and return it as it was told."""
        numbered = replace(event, sequence=self._feed.next())
        self._feed.publish(job.record.client, numbered)
        return numbered

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
        self._observation.painted_bytes += len(layer.image.data)
        job.recipe = job.recipe or layer.recipe
        self._feed.publish(job.record.client, FreshLayer(stored, layer.image.data))

    async def _final_recipe(self, job: OpenJob) -> Recipe:
        """The recipe as it was really painted: that of the first layer."""
        if job.recipe is None:
            layers = await self._ledger.read(self._ledger.store.layers, job.record.job)
            job.recipe = next((layer.recipe for layer in layers if layer.recipe), None)
        return job.recipe or job.record.submit.recipe

    async def _fail(self, job: OpenJob, code: str, message: str, hint: str = "") -> None:
        await self._end(job, Failed(job.record.job, 0, code, message, hint))

    async def _end(self, job: OpenJob, ending: Done | Failed | Cancelled) -> None:
        """Write the ending down and tell of it; what cannot be written now is kept and told."""
        ending = replace(ending, sequence=self._feed.next())
        await self._endings.write(job.record.client, ending)
        self.jobs.pop(job.record.job, None)
        self._observation.over(ending)
        self._feed.publish(job.record.client, ending)


def _no_space(kept: int) -> str:
    """Why a job failed, of which the server has kept as many layers."""
    if not kept:
        return "The disk is full: the result could not be kept."
    if kept == 1:
        return (
            "The disk is full: the server still has the layer that was finished, no more could be "
            "kept."
        )
    return (
        f"The disk is full: the server still has the {kept} layers that were finished, no more "
        "could be kept."
    )
