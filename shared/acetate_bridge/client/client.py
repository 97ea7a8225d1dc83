"""One client for every editor: a thread that keeps a session with the server, come what may."""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from acetate_bridge.client import connection_state as states
from acetate_bridge.client.address import Where
from acetate_bridge.client.connection import Ears, Link
from acetate_bridge.client.connection_state import State
from acetate_bridge.client.launcher import update_plugin
from acetate_bridge.client.own_card import own_card
from acetate_bridge.client.pending_jobs import Pending
from acetate_bridge.client.server_call import page_address, setup_of
from acetate_bridge.client.server_request import NoAnswer
from acetate_bridge.protocol.json_text import LARGEST_NUMBER, wellformed
from acetate_bridge.protocol.messages import (
    Acknowledge,
    Cancel,
    Event,
    ModelMessage,
    Models,
    Move,
    Pause,
    Pull,
    Queue,
    Remove,
)
from acetate_bridge.protocol.setup import Setup
from acetate_bridge.protocol.types import Request

log = logging.getLogger("acetate.client")

OnEvent = Callable[[Event], None]
OnState = Callable[[State], None]
OnOffer = Callable[[Models], None]
OnQueue = Callable[[Queue | None], None]


class Client:
    """Submits jobs and hears of them, from a thread of its own; never raises into the host.

    The callbacks run in that thread: an editor hands them on to its own. Nothing is lost when the
    connection is: jobs are submitted again until they are accepted, and what the server sent
    meanwhile comes later. `identity` names this client for as long as its jobs shall be its own;
    `last_event` and `store` (see `position`) go on where an earlier client with it stopped.

    `address` (`host:port`) and `token` (or a file that holds it) default to the server that runs
    on this machine. `on_queue` hears how the waiting jobs stand, and None while that is unknown.
    """

    def __init__(
        self,
        identity: str,
        on_event: OnEvent,
        on_state: OnState | None = None,
        on_offer: OnOffer | None = None,
        on_queue: OnQueue | None = None,
        *,
        address: str | None = None,
        token: str | None = None,
        token_file: str = "",
        store: str = "",
        last_event: int = 0,
        command: Sequence[str] | None = None,
    ) -> None:
        self._on_event = on_event
        self._on_state = on_state
        self._on_offer = on_offer
        self._on_queue = on_queue
        self._pending = Pending(wellformed(store), max(0, min(last_event, LARGEST_NUMBER)))
        ears = Ears(self._hear, self._become, self._announce, self._tell_queue)
        self._where = Where(address, token, token_file)
        self._link = Link(wellformed(identity), self._pending, ears, self._where, command)
        self._state = states.STOPPED
        self._offer: Models | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._early: list[Callable[[], object]] = []
        self._lock = threading.Lock()
        self._main: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="acetate client", daemon=True)
        self._begun = False

    # ---- for the host, from any thread

    @property
    def state(self) -> State:
        """How the connection stands."""
        return self._state

    @property
    def offer(self) -> Models | None:
        """Models and modes that the server announced last."""
        return self._offer

    @property
    def position(self) -> tuple[str, int]:
        """Store and number of the last event, to be kept for a later client."""
        return self._pending.store, self._pending.last_event

    @property
    def open_jobs(self) -> list[str]:
        """Jobs that were submitted and have not ended."""
        return self._pending.open_jobs

    def start(self) -> None:
        """Begin to connect; a second call does nothing."""
        if not self._begun:
            self._begun = True
            self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Close the connection and end the thread. Accepted jobs go on at the server."""

        def cancel() -> None:
            if self._main is not None:
                self._main.cancel()

        if self._begun and self._thread.is_alive():
            self._call(cancel)
            if threading.current_thread() is not self._thread:
                self._thread.join(timeout)

    def submit(self, request: Request, job: str | None = None) -> str:
        """Ask for a job and return its id; what becomes of it comes as events."""
        name = job or uuid.uuid4().hex

        def add() -> None:
            failed = self._pending.add(name, request)
            if failed is not None:
                self._hear(failed)
            elif self._link.stands:
                self._link.say(self._pending.introduce(name))

        self._call(add)
        return name

    def cancel(self, job: str) -> None:
        """Stop a job; its ending comes as an event."""

        def stop() -> None:
            self._pending.cancel(job)
            self._link.say([Cancel(job)])

        self._call(stop)

    def move(self, job: str, before: str = "") -> None:
        """Paint a waiting job before another one, or last; only while `on_queue` hears of both."""
        self._call(lambda: self._link.say([Move(job, before)]))

    def acknowledge(self, job: str) -> None:
        """Tell the server that the results of a job are safe."""

        def thank() -> None:
            self._pending.acknowledge(job)
            self._link.say([Acknowledge(job)])

        self._call(thank)

    def pull(self, model: str, accepted: Sequence[str] = ()) -> None:
        """Fetch a model, or go on with it; how it goes is heard as offers.

        `accepted` are those of `ModelInfo.licences` that the person has read and accepted.
        """
        self._wish(Pull(model, list(accepted)))

    def pause(self, model: str) -> None:
        """Stop fetching a model; what has arrived is kept."""
        self._wish(Pause(model))

    def remove(self, model: str) -> None:
        """Delete the files of a model that no other one needs."""
        self._wish(Remove(model))

    def retry(self) -> None:
        """Try to connect now instead of waiting."""
        self._call(self._link.wake)

    def start_server(self) -> None:
        """Start a server in the background if none is found, and connect to it."""
        self._call(self._link.want_server)

    def ask_page(self, done: Callable[[str, str], None]) -> None:
        """Where the local page opens signed in, once; `done` hears that, or why there is none."""

        def ask() -> None:
            try:
                target = self._where.find()
                if target is None:
                    raise NoAnswer("The server is not running.")
                told = page_address(target), ""
            except Exception as error:  # Somebody waits to be told, whatever it is.
                told = "", str(error)
            _guarded(lambda answer: done(*answer), told)

        threading.Thread(target=ask, name="acetate page", daemon=True).start()

    def ask_setup(self, done: Callable[[Setup | None, str], None]) -> None:
        """What is in place on the server's machine; without an answer the card of this one."""

        def ask() -> None:
            try:
                target = self._where.find()
                found = None if target is None else setup_of(target)
            except Exception:  # Somebody waits to be told, whatever it is.
                found = None
            told = found, found.card if found is not None else own_card()
            _guarded(lambda answer: done(*answer), told)

        threading.Thread(target=ask, name="acetate setup", daemon=True).start()

    def update_plugin(self, editor: str, done: Callable[[str], None]) -> None:
        """Put the plug-in of this machine's Acetate into an editor; `done` hears how it went."""

        def update() -> None:
            try:
                update_plugin(editor)
                told = "The plug-in is up to date: start the editor again."
            except Exception as error:  # Somebody waits to be told, whatever it is.
                told = f"{str(error).rstrip('.')}."
            _guarded(done, told)

        threading.Thread(target=update, name="acetate update", daemon=True).start()

    # ---- the thread

    def _call(self, action: Callable[[], object]) -> None:
        with self._lock:
            if self._loop is None:
                self._early.append(action)
                return
            try:
                self._loop.call_soon_threadsafe(action)
            except RuntimeError:
                log.debug("the client has stopped")

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except asyncio.CancelledError:
            pass
        except Exception:
            log.exception("the client ended")
        finally:
            self._become(states.STOPPED)

    async def _live(self) -> None:
        self._main = asyncio.current_task()
        with self._lock:
            self._loop = asyncio.get_running_loop()
            early, self._early = self._early, []
        for action in early:
            action()
        await self._link.keep_connected()

    def _wish(self, message: ModelMessage) -> None:
        def wish() -> None:
            if self._link.stands:
                self._link.say([message])
            else:
                self._pending.wish(message)

        self._call(wish)

    def _hear(self, event: Event) -> None:
        _guarded(self._on_event, event)

    def _announce(self, offer: Models) -> None:
        self._offer = offer
        if self._on_offer is not None:
            _guarded(self._on_offer, offer)

    def _tell_queue(self, queue: Queue | None) -> None:
        if self._on_queue is not None:
            _guarded(self._on_queue, queue)

    def _become(self, state: State) -> None:
        if state != self._state:
            self._state = state
            if self._on_state is not None:
                _guarded(self._on_state, state)


def _guarded(callback: Callable[[Any], None], value: Any) -> None:
    """A fault in the host's callback is the host's: it must not end the session."""
    try:
        callback(value)
    except Exception:
        log.exception("a callback of the host failed")
