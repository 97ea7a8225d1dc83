"""Engines in a Ray cluster: each is an actor that Ray places where there is room.

Ray starts, places and reaches the painters, and carries pixels through its object store. What
waits, in which order, and what is tried again stays with the queue, as for local workers.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any, cast

import acetate
from acetate.errors import AcetateError, Interrupted
from acetate.workers import ipc as wire
from acetate.workers.engine import (
    Announcement,
    EngineEvent,
    EngineLost,
    Health,
    PaintingFailed,
)
from acetate.workers.engine_events import event_of
from acetate.workers.ray_actor import Delivery, PaintActor
from acetate.workers.ray_settings import RaySettings as RaySettings
from acetate_bridge.protocol.types import Request

log = logging.getLogger("acetate.ray")

_CONNECT_SECONDS = 5.0
_RESTART_SECONDS = (0.0, 1.0, 5.0, 15.0, 30.0)


class ClusterUnreachable(AcetateError):
    """There is no cluster at that address, or none that this version can work with."""

    code = "cluster_unreachable"


def join_cluster(address: str) -> None:
    """Connect this process to a cluster. Blocks; raises ClusterUnreachable."""
    try:
        # Read when the module is imported: nothing is reported to anybody.
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        import ray
    except ImportError:
        raise ClusterUnreachable(
            "Ray is not installed here.", "Install it: pip install 'acetate[ray]'"
        ) from None
    cure = "Start one on its first machine: ray start --head"
    if address != "auto" and not _answers(address):
        raise ClusterUnreachable(f"No Ray cluster answers at {address}.", cure)
    try:
        cast("Any", ray).init(
            address=address,
            namespace="acetate",
            log_to_driver=False,
            logging_level=logging.WARNING,
            runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}},
        )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        said = " ".join(str(error).split())[:300]
        if "Version mismatch" in said:
            raise ClusterUnreachable(
                f"The Ray cluster at {address} runs another version of Ray or Python than this "
                "machine.",
                "Install the same on every machine: ray --version, python --version.",
            ) from error
        raise ClusterUnreachable(
            f"The Ray cluster at {address} cannot be used: {said}",
            cure,
        ) from error


def _answers(address: str) -> bool:
    """Whether anything listens there; Ray itself would go on asking for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
    except (OSError, ValueError, OverflowError):
        return False
    return True


class RayEngine:
    """An `Engine` that is an actor somewhere in the cluster; `number` tells engines apart."""

    def __init__(self, settings: wire.WorkerSettings, ray: RaySettings, number: int) -> None:
        self._settings = settings
        self._ray = ray
        self._number = number
        self._actor: Any = None
        self._announce: Callable[[Announcement], None] = lambda announcement: None
        self._starting = asyncio.Lock()
        self._job: str | None = None
        self._cancelled: set[str] = set()
        self._idle: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._heard = 0.0
        self._restarts = 0

    @property
    def name(self) -> str:
        """`ray:0`, `ray:1`, …"""
        return f"ray:{self._number}"

    @property
    def has_actor(self) -> bool:
        """Whether a painter of the cluster belongs to this engine now."""
        return self._actor is not None

    async def start(self, announce: Callable[[Announcement], None]) -> None:
        """Ask for a painter, if this is one of those that are always kept."""
        self._announce = announce
        if self._number < self._ray.lowest:
            self._spawn(self._keep_trying(), "start")

    def health(self) -> Health:
        """See `Watched.health`; what a node has in memory is told by its own `/metrics`."""
        busy = self._job is not None
        return Health(busy, time.monotonic() - self._heard if busy else 0.0, self._restarts)

    def look_again(self) -> None:
        """Announce anew what the painter has on its node."""
        if self._actor is not None:
            self._spawn(self._tell(self._actor), "announce")

    def cancel(self, job: str) -> None:
        """Stop the job within a step, also while it waits for room in the cluster."""
        if job == self._job:
            self._cancelled.add(job)
            if self._actor is not None:
                self._actor.stop.remote(job)

    async def stop(self) -> None:
        """Let the painter go."""
        self._stopping = True
        self._keep_for_now()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._let_go()

    async def paint(self, job: str, request: Request) -> AsyncGenerator[EngineEvent]:
        """See `Engine.paint`."""
        self._job, self._heard = job, time.monotonic()
        self._keep_for_now()
        stream: AsyncGenerator[Delivery] | None = None
        ended = False
        try:
            actor = await self._with_actor(job)
            stream = self._stream(actor, wire.Paint(job, request))
            async for message, payload in stream:
                if (event := event_of(message, payload)) is not None:
                    yield event
            ended = True
        except (Interrupted, PaintingFailed, EngineLost) as error:
            ended = True
            if isinstance(error, PaintingFailed) and error.code == wire.DEVICE_LOST:
                self._restarts += 1
                await self._let_go()  # Only another process may have the card back.
            raise
        except Exception as error:
            ended = True
            if not _is_of_ray(error):
                raise
            raise EngineLost(f"its node was lost ({type(error).__name__})") from error
        finally:
            if not ended:
                await self._drain(job, stream)
            self._cancelled.discard(job)
            self._job = None
            self._leave_when_idle()

    async def _with_actor(self, job: str) -> Any:
        """The painter, waiting for room in the cluster; raises Interrupted."""
        ready = asyncio.create_task(self._ready_actor())
        try:
            while not ready.done():
                if job in self._cancelled:
                    raise Interrupted
                await asyncio.wait({ready}, timeout=0.1)
            return ready.result()
        finally:
            ready.cancel()

    async def _ready_actor(self) -> Any:
        """The painter; one that dies before it could begin, as on a dying node, is replaced."""
        async with self._starting:
            for pause in (*_RESTART_SECONDS, None):
                if self._actor is not None:
                    break
                actor = await asyncio.to_thread(self._make_actor)
                try:
                    await self._greet(actor)
                except Exception as error:
                    if pause is None or not _is_of_ray(error):
                        raise
                    log.warning("%s: no painter yet (%s)", self.name, type(error).__name__)
                    await asyncio.sleep(pause)
                else:
                    self._actor = actor
            return self._actor

    def _make_actor(self) -> Any:
        import ray

        device = self._settings.device
        gpus = 0 if device == "cpu" else 1
        # A thread for the job, one for stopping it, one for looking again.
        options = {"num_cpus": 1, "num_gpus": gpus, "max_concurrency": 3}
        return ray.remote(PaintActor).options(**options).remote(self._settings)

    async def _greet(self, actor: Any) -> None:
        """Hear of a new painter what it can do. Raises EngineLost for one of another version."""
        theirs = await actor.version.remote()
        if theirs != acetate.__version__:
            await asyncio.to_thread(_kill, actor)
            raise EngineLost(
                f"its node has Acetate {theirs}, this server {acetate.__version__}: "
                "install the same on both"
            )
        await self._tell(actor)

    async def _tell(self, actor: Any) -> None:
        self._announce(await actor.announce.remote())

    async def _stream(self, actor: Any, order: wire.Paint) -> AsyncGenerator[Delivery]:
        messages = actor.paint.options(num_returns="streaming").remote(order)
        try:
            async for reference in messages:
                delivery = await reference
                self._heard = time.monotonic()
                yield delivery
        except Exception as error:
            if _is_of_ray(error):
                self._actor = None
                self._restarts += 1
            raise

    async def _drain(self, job: str, stream: AsyncGenerator[Delivery] | None) -> None:
        """Nobody listens any more: stop the job and wait until the painter is free."""
        self.cancel(job)
        if stream is None or self._stopping:
            return
        with contextlib.suppress(Exception):
            async for _ in stream:
                pass

    async def _keep_trying(self) -> None:
        """Until the cluster has room for a painter."""
        while not self._stopping:
            try:
                await self._ready_actor()
                return
            except EngineLost as error:
                log.warning("%s: no painter yet, %s", self.name, error)
                await asyncio.sleep(_RESTART_SECONDS[-1])
            except Exception as error:
                if not _is_of_ray(error):
                    raise
                log.warning("%s: still no painter (%s)", self.name, type(error).__name__)

    def _keep_for_now(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _leave_when_idle(self) -> None:
        if self._number >= self._ray.lowest and not self._stopping:
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(
                self._ray.idle_seconds, lambda: self._spawn(self._let_go(), "idle")
            )

    async def _let_go(self) -> None:
        actor, self._actor = self._actor, None
        if actor is not None:
            await asyncio.to_thread(_kill, actor)

    def _spawn(self, work: Any, name: str) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(
            work, name=f"{self.name} {name}"
        )
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("%s: %s failed (%s)", self.name, task.get_name(), type(error).__name__)


def _kill(actor: Any) -> None:
    import ray

    with contextlib.suppress(Exception):
        cast("Any", ray).kill(actor)


def _is_of_ray(error: Exception) -> bool:
    return type(error).__module__.split(".")[0] == "ray"
