"""A local engine: one worker process, watched, and replaced when it dies or hangs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import subprocess
import threading
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

import msgspec

from acetate.background_tasks import start_task
from acetate.errors import Interrupted
from acetate.workers import ipc as wire
from acetate.workers.engine import (
    Announcement,
    EngineEvent,
    EngineLost,
    Health,
    PaintingFailed,
)
from acetate.workers.engine_events import event_of
from acetate.workers.own_module import module_command, module_environment
from acetate.workers.process_memory import memory_of
from acetate_bridge.protocol.types import Request

log = logging.getLogger("acetate.supervisor")

_RESTART_SECONDS = (0.0, 0.5, 2.0, 5.0, 15.0, 30.0)
_FAILED_STARTS = 3
"""In a row, after which no job waits for a worker any longer. A single one may have been ended from
outside, for want of memory for one."""


@dataclass(frozen=True)
class Patience:
    """How long, in seconds, a worker may be silent before it counts as hung.

    `silence` is for the process as a whole (it beats every two seconds while busy); `stall` is
    for the job: loading a model or one step on a slow device may take minutes. `start` is for
    a worker that is not ready yet.
    """

    silence: float = 30.0
    stall: float = 900.0
    start: float = 300.0


Delivery = tuple[wire.FromWorker, bytes]
"""A message of the worker, and its payload."""


class _Process:
    """One life of a worker: its pipes, and a thread that carries its messages into the loop.

    Making one blocks for as long as the system takes to start a process.
    """

    def __init__(
        self,
        settings: wire.WorkerSettings,
        inbox: asyncio.Queue[Delivery | None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._loop = loop
        self._inbox = inbox
        ours = msgspec.structs.replace(settings, parent=os.getpid())
        self._child = subprocess.Popen(
            module_command("acetate.workers.process", msgspec.json.encode(ours).decode()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=module_environment(),
        )
        assert self._child.stdin is not None
        wire.widen(self._child.stdin)
        self._orders: queue.SimpleQueue[wire.ToWorker | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="worker-writer", daemon=True)
        self._writer.start()
        self._reader = threading.Thread(target=self._read, name="worker-reader", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._child.pid

    def write(self, message: wire.ToWorker) -> None:
        """Send a message, without waiting: a worker that hangs does not empty its pipe.

        A dead or hung worker is noticed elsewhere.
        """
        self._orders.put(message)

    def kill(self) -> None:
        """End the process at once."""
        with contextlib.suppress(OSError):
            self._child.kill()

    def wait(self) -> int:
        """Reap the process, close the pipes and return its exit status."""
        status = self._child.wait()
        self._orders.put(None)
        self._writer.join()
        self._reader.join()
        for pipe in (self._child.stdin, self._child.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        return status

    def _write(self) -> None:
        """In a thread of its own, one message after another; the pipe may be full for long."""
        assert self._child.stdin is not None
        try:
            while (message := self._orders.get()) is not None:
                wire.send(self._child.stdin, message)
        except (OSError, ValueError):
            pass  # It has ended, which the reader notices.
        except Exception:
            log.exception("worker %s could not be told something", self._child.pid)
            self.kill()

    def _read(self) -> None:
        assert self._child.stdout is not None
        try:
            wire.widen(self._child.stdout)
            while (delivery := wire.receive_in_server(self._child.stdout)) is not None:
                self._deliver(delivery)
        except Exception as error:  # Also a length that no memory holds.
            log.warning("worker %s spoke nonsense (%s)", self._child.pid, type(error).__name__)
            self.kill()
        finally:
            self._deliver(None)

    def _deliver(self, delivery: Delivery | None) -> None:
        # The loop may be closed by now: the server is going down.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._inbox.put_nowait, delivery)


class WorkerEngine:
    """An `Engine` around a worker process on this machine."""

    def __init__(self, settings: wire.WorkerSettings, patience: Patience | None = None) -> None:
        self._settings = settings
        self._patience = patience or Patience()
        self._process: _Process | None = None
        self._inbox: asyncio.Queue[Delivery | None] = asyncio.Queue()
        self._events: asyncio.Queue[Delivery | None] = asyncio.Queue()
        self._ready = asyncio.Event()
        self._broken = asyncio.Event()
        self._cancelled = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None
        self._job: str | None = None
        self._stopping = False
        self._heard = 0.0
        self._restarts = 0

    @property
    def name(self) -> str:
        """The device."""
        return self._settings.device

    @property
    def pid(self) -> int | None:
        """Process id of the worker that lives now."""
        return self._process.pid if self._process else None

    async def start(self, announce: Callable[[Announcement], None]) -> None:
        """Start the process and watch over it."""
        self._watch = start_task(self._keep_alive(announce), f"watch {self.name}")

    async def stop(self) -> None:
        """Kill the process and stop watching."""
        self._stopping = True
        if self._process is not None:
            self._process.kill()
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        self._broken.set()
        self._events.put_nowait(None)

    def health(self) -> Health:
        """See `Watched.health`."""
        process, busy, now = self._process, self._job is not None, time.monotonic()
        memory = memory_of(process.pid) if process is not None else 0
        return Health(busy, now - self._heard if busy else 0.0, self._restarts, memory)

    def look_again(self) -> None:
        """Let the worker announce anew, also after what it may be announcing just now."""
        if self._process is not None:
            self._process.write(wire.LookAgain())

    def cancel(self, job: str) -> None:
        """Ask the worker to stop this job."""
        if job != self._job:
            return
        self._cancelled.set()
        if self._process is not None:
            self._process.write(wire.Stop(job))

    async def paint(self, job: str, request: Request) -> AsyncGenerator[EngineEvent]:
        """See `Engine.paint`."""
        self._job, self._heard = job, time.monotonic()
        self._cancelled.clear()
        process: _Process | None = None
        try:
            process = await self._when_ready()
            process.write(wire.Paint(job, request))
            async with contextlib.aclosing(self._follow(process)) as events:
                async for event in events:
                    yield event
            process = None
        except (PaintingFailed, Interrupted, EngineLost):
            process = None
            raise
        finally:
            if process is not None and not self._stopping:
                await self._drain(job, process)
            self._job = None

    async def _drain(self, job: str, process: _Process) -> None:
        """Nobody listens any more: stop the job and wait until the worker is free."""
        self.cancel(job)
        with contextlib.suppress(PaintingFailed, Interrupted, EngineLost):
            async for _ in self._follow(process):
                pass

    async def _when_ready(self) -> _Process:
        """The worker, once it is ready; raises EngineLost or Interrupted."""
        waits = [
            start_task(event.wait(), "wait")
            for event in (self._ready, self._broken, self._cancelled)
        ]
        try:
            await asyncio.wait(
                waits, timeout=self._patience.start, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for wait in waits:
                wait.cancel()
        if self._cancelled.is_set():
            raise Interrupted
        if not self._ready.is_set() or self._process is None:
            raise EngineLost("the worker cannot start, see the log of the server")
        self._events = asyncio.Queue()
        return self._process

    def _abandon(self, process: _Process) -> None:
        """A hung worker takes no further job, from this moment on."""
        self._ready.clear()
        process.kill()

    async def _follow(self, process: _Process) -> AsyncGenerator[EngineEvent]:
        """Events of the running job until it ends; a silent worker is killed."""
        loop = asyncio.get_running_loop()
        moved = loop.time()
        while True:
            try:
                async with asyncio.timeout(self._patience.silence):
                    delivery = await self._events.get()
            except TimeoutError:
                self._abandon(process)
                raise EngineLost("the worker hung and was ended") from None
            if delivery is None:
                raise EngineLost("the worker died")
            if isinstance(delivery[0], wire.Finished):
                return
            if (event := event_of(*delivery)) is not None:
                yield event
            elif loop.time() - moved > self._patience.stall:
                self._abandon(process)
                raise EngineLost("the worker made no progress and was ended")
            else:
                continue
            moved = loop.time()

    async def _keep_alive(self, announce: Callable[[Announcement], None]) -> None:
        """Start the worker, and start another whenever it ends."""
        deaths = 0
        while not self._stopping:
            await asyncio.sleep(_RESTART_SECONDS[min(deaths, len(_RESTART_SECONDS) - 1)])
            try:
                self._process = await self._begin()
                lived = await self._route(announce)
            except Exception as error:
                # No memory or no descriptors for a process now; there may be later.
                log.error("no worker could be started on %s: %s", self.name, error)
                lived = False
            finally:
                self._ready.clear()
                await self._bury()
            deaths = 0 if lived else deaths + 1
            if deaths >= _FAILED_STARTS:
                self._broken.set()

    async def _begin(self) -> _Process:
        """A new process; one that comes when nobody wants it any more is ended."""
        loop = asyncio.get_running_loop()
        making = asyncio.ensure_future(
            asyncio.to_thread(_Process, self._settings, self._inbox, loop)
        )
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                process = await making
                process.kill()
                await asyncio.to_thread(process.wait)
            raise

    async def _route(self, announce: Callable[[Announcement], None]) -> bool:
        """Hand messages to whoever waits for them until the process ends.

        Returns whether it ever was ready.
        """
        lived = False
        while (delivery := await self._inbox.get()) is not None:
            message, _ = delivery
            self._heard = time.monotonic()
            if isinstance(message, wire.Ready):
                lived = True
                announce(Announcement(message.models, message.modes))
                self._broken.clear()
                self._ready.set()
            else:
                self._events.put_nowait(delivery)
        # Counted before anybody hears of it.
        self._restarts += not self._stopping
        self._events.put_nowait(None)
        return lived

    async def _bury(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        status = await asyncio.shield(asyncio.to_thread(process.wait))
        if not self._stopping:
            log.warning("worker %s on %s ended with status %s", process.pid, self.name, status)
