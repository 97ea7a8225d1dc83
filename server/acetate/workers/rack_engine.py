"""An engine that is a slot of another server of models; several slots let it batch."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from acetate.background_tasks import start_task
from acetate.workers import ipc as wire
from acetate.workers.engine import Announcement, EngineEvent, EngineLost, Health
from acetate.workers.engine_events import event_of
from acetate.workers.job_runner import last_message
from acetate.workers.rack_painter import LOST, RackAddress, RackLost, RackPainter
from acetate_bridge.protocol.types import Request

log = logging.getLogger("acetate.rack")

SLOTS = 12
"""How many jobs one server gets at a time, so that it can batch them."""
_LOOK_SECONDS = 15.0
_PREVIEW_SECONDS = 0.25

Delivery = tuple[wire.FromWorker, bytes]


class RackEngine:
    """An `Engine` that asks the server at an address; `number` tells slots apart."""

    selective = True
    """It gets jobs alone for the models that it has announced."""

    def __init__(self, address: RackAddress, number: int) -> None:
        self._painter = RackPainter(address)
        self._number = number
        self._announce: Callable[[Announcement], None] = lambda announcement: None
        self._announced: Announcement | None = None
        self._thread = ThreadPoolExecutor(1, "rack")
        self._look = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._job: str | None = None
        self._heard = 0.0

    @property
    def name(self) -> str:
        """`vllm-omni:0`, `vllm-omni:1`, …"""
        return f"vllm-omni:{self._number}"

    async def start(self, announce: Callable[[Announcement], None]) -> None:
        """Ask what the server has, now and then."""
        self._announce = announce
        self._looking = start_task(self._keep_looking(), f"look {self.name}")

    def look_again(self) -> None:
        """Ask soon."""
        self._look.set()

    def health(self) -> Health:
        """See `Watched.health`."""
        busy = self._job is not None
        return Health(busy, time.monotonic() - self._heard if busy else 0.0)

    def cancel(self, job: str) -> None:
        """Hang up: the server drops what nobody waits for."""
        if job == self._job:
            self._painter.stop()

    async def stop(self) -> None:
        """Hang up, and ask no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])
        self._painter.stop()
        self._thread.shutdown(wait=False)

    async def paint(self, job: str, request: Request) -> AsyncGenerator[EngineEvent]:
        """See `Engine.paint`."""
        self._job, self._heard = job, time.monotonic()
        loop = asyncio.get_running_loop()
        inbox: asyncio.Queue[Delivery | None] = asyncio.Queue()
        stopped = False

        def send(message: wire.FromWorker, payload: bytes = b"") -> None:
            loop.call_soon_threadsafe(inbox.put_nowait, (message, payload))

        def work() -> None:
            order = wire.Paint(job, request)
            try:
                send(last_message(order, self._painter, send, lambda: stopped, _PREVIEW_SECONDS))
            finally:
                loop.call_soon_threadsafe(inbox.put_nowait, None)

        self._painter.begin()
        working = loop.run_in_executor(self._thread, work)
        try:
            while (delivery := await inbox.get()) is not None:
                self._heard = time.monotonic()
                message = delivery[0]
                if isinstance(message, wire.Broken) and message.code == LOST:
                    raise EngineLost(message.message)
                if (event := event_of(*delivery)) is not None:
                    yield event
        finally:
            stopped = True
            self._painter.stop()
            await asyncio.shield(working)
            self._job = None

    async def _keep_looking(self) -> None:
        painter = RackPainter(self._painter.address)
        while True:
            try:
                found = await asyncio.to_thread(painter.announce)
            except RackLost as error:
                found = self._without(str(error))
            except Exception:
                # Whatever it answered, it is asked again.
                log.exception("%s could not be looked at", self.name)
                found = None
            if found is not None and found != self._announced:
                self._announced = found
                self._announce(found)
            self._look.clear()
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._look.wait()
            except TimeoutError:
                continue

    def _without(self, reason: str) -> Announcement | None:
        """What was announced, as missing; None before anything was."""
        log.warning("%s: %s", self.name, reason)
        if self._announced is None:
            return None
        sentence = f"{reason[:1].upper()}{reason[1:]}."
        models = [
            replace(model, state="missing", progress=0.0, reason=sentence)
            for model in self._announced.models
        ]
        return Announcement(models, [])
