"""A server's life: locks, socket, runtime file, signals, and a graceful end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

import acetate
from acetate.app.application import create_app, make_engines
from acetate.app.auth import is_loopback
from acetate.app.connections import Reception
from acetate.app.context import CONTEXT, Context
from acetate.app.locks import AlreadyLocked, hold
from acetate.app.own_log import OwnLog
from acetate.app.pairing_routes import Invitation, invitation
from acetate.app.refusal_log import QuietRefusals
from acetate.app.settings import Settings
from acetate.app.share_codes import ShareCodes, Sharing
from acetate.app.sockets import CannotServe, listen, listen_beside, listen_for_others
from acetate.background_tasks import start_task
from acetate.jobs.async_store import Ledger
from acetate.jobs.records import DiskFull, Refused
from acetate.jobs.store import StoreDamaged
from acetate_bridge.client.discovery import (
    LOCK_FILE,
    RUNTIME_NAMES,
    Runtime,
    UnsafeFolder,
    make_data_folder,
    make_runtime_folder,
    read_runtime,
    remove_runtime,
    runtime_folder,
    write_runtime,
)
from acetate_bridge.client.sandbox import places_to_leave
from acetate_bridge.protocol.messages import PROTOCOL

if TYPE_CHECKING:
    from acetate.app.share import Share

log = logging.getLogger("acetate")


def serve(
    settings: Settings,
    started: Callable[[str], None] = lambda address: None,
    invited: Callable[[Invitation], None] = lambda invitation: None,
) -> None:
    """Run a server until it is told to stop; raises CannotServe.

    `started` gets its address, `invited` what pairs the first other machine if it is shared.
    """
    # What is known before a worker is up is known of the models that the worker will have.
    os.environ["ACETATE_MODELS_DIR"] = str(settings.models_folder)
    try:
        make_runtime_folder(settings.runtime_folder, RUNTIME_NAMES)
        make_data_folder(settings.data_folder)
        with contextlib.ExitStack() as locks:
            for folder in (settings.runtime_folder, settings.data_folder):
                locks.enter_context(hold(folder / LOCK_FILE))
            if settings.ray is not None:
                from acetate.workers.ray_engine import join_cluster

                join_cluster(settings.ray.address)
            ledger = Ledger.open(settings.data_folder / "jobs", settings.quota)
            share = None
            if settings.share_port is not None:
                from acetate.app.share import FOLDER, open_share

                try:
                    share = open_share(settings.data_folder)
                except ValueError as error:
                    raise CannotServe(
                        f"What is kept for other machines is damaged: {error}.",
                        f"Remove {settings.data_folder / FOLDER} and pair them anew.",
                    ) from error
            asyncio.run(_serve(settings, ledger, started, invited, share))
    except AlreadyLocked:
        raise CannotServe(_already_running(settings)) from None
    except UnsafeFolder as error:
        raise CannotServe(f"{error}.") from error
    except StoreDamaged as error:
        raise CannotServe(str(error)) from error
    except Refused as error:
        raise CannotServe(error.message, error.hint) from error
    except DiskFull as error:
        raise CannotServe("The disk is full: free some space and start again.") from error


def _already_running(settings: Settings) -> str:
    other = read_runtime(settings.runtime_folder)
    if other is None:
        return f"Another Acetate server is using {settings.data_folder}: stop it first."
    return running_already(other)


def running_already(other: Runtime) -> str:
    """What is told to one who starts a server beside another."""
    return (
        f"An Acetate server is already running at {other.address} (process {other.pid}): "
        "`acetate stop` ends it."
    )


async def _serve(
    settings: Settings,
    ledger: Ledger,
    started: Callable[[str], None],
    invited: Callable[[Invitation], None],
    share: Share | None,
) -> None:
    listening = listen(settings.host, settings.port)
    shared = None if share is None else listen_for_others(settings.share_port or 0)
    sharing = None
    if share is not None and shared is not None:
        sharing = _sharing(share, shared.getsockname()[1])
    port: int = listening.getsockname()[1]
    beside = listen_beside(settings.host, port)
    app = create_app(settings, ledger, make_engines(settings), lambda: port, sharing)
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=2.0)
    logging.getLogger("aiohttp.server").addFilter(QuietRefusals())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    catch_signals(loop, stop.set)
    idle = IdleExit(app[CONTEXT], settings.idle_exit, stop.set)
    keeping: asyncio.Task[None] | None = None
    await runner.setup()
    assert runner.server is not None
    sockets = [listening] if beside is None else [listening, beside]
    receptions = [Reception(each, runner.server) for each in sockets]
    if share is not None and shared is not None:
        receptions.append(Reception(shared, runner.server, encrypted=share.context()))
    try:
        for reception in receptions:
            reception.open()
        host = settings.host if is_loopback(settings.host) else "127.0.0.1"
        runtime = Runtime(os.getpid(), host, port, settings.token, PROTOCOL, acetate.__version__)
        write_runtime(runtime, settings.runtime_folder)
        _leave_word(runtime, settings)
        idle.start()
        keeping = start_task(OwnLog().keep_short(), "the log")
        started(runtime.address)
        if sharing is not None:
            invited(invitation(sharing))
        await stop.wait()
        log.info("stopping")
    finally:
        idle.stop()
        if keeping is not None:
            keeping.cancel()
        for folder in (settings.runtime_folder, *_places_beside(settings)):
            remove_runtime(os.getpid(), folder)
        for reception in receptions:
            await reception.close()
        await runner.cleanup()


def _sharing(share: Share, port: int) -> Sharing:
    from acetate.app.share import addresses_here

    def addresses() -> list[str]:
        return [f"{host}:{port}" for host in addresses_here()]

    return Sharing(share.token, ShareCodes(share.certificate), addresses)


def _leave_word(runtime: Runtime, settings: Settings) -> None:
    """Where editors in a sandbox can find it; without is no reason not to serve."""
    for folder in _places_beside(settings):
        try:
            write_runtime(runtime, folder)
        except OSError as error:
            log.info("no word is left in %s: %s", folder, error)


def _places_beside(settings: Settings) -> list[Path]:
    return places_to_leave() if settings.runtime_folder == runtime_folder() else []


def catch_signals(
    loop: asyncio.AbstractEventLoop, stop: Callable[[], None], platform: str = sys.platform
) -> None:
    """Call `stop` in the loop on the signals that end a server politely, per system."""
    if platform == "win32":

        def heard(number: int, frame: object) -> None:
            loop.call_soon_threadsafe(stop)

        for name in ("SIGINT", "SIGBREAK"):
            number = getattr(signal, name, None)
            if number is not None:
                signal.signal(number, heard)
        return
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)


class IdleExit:
    """Ends a server that nobody has used for a while; looks only when that could be the case."""

    def __init__(self, context: Context, seconds: float, stop: Callable[[], None]) -> None:
        self._context = context
        self._seconds = seconds
        self._stop = stop
        self._timer: asyncio.TimerHandle | None = None
        self._last = 0.0

    def start(self) -> None:
        """Begin to count."""
        if self._seconds > 0:
            self._context.touch = self._touch
            self._touch()
            self._look()

    def stop(self) -> None:
        """Count no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _touch(self) -> None:
        self._last = asyncio.get_running_loop().time()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        context = self._context
        busy = context.manager.busy or context.downloads.busy
        if context.sessions or context.scripts.readers or busy:
            self._touch()
        left = self._last + self._seconds - loop.time()
        if left <= 0:
            log.info("nobody has asked for anything for %g seconds", self._seconds)
            self._stop()
            return
        self._timer = loop.call_later(left, self._look)
