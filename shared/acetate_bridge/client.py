"""One client for every editor: a thread that keeps a session with the server, come what may."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from acetate_bridge import states
from acetate_bridge.address import BadAddress, Target, find_target
from acetate_bridge.codec import MESSAGE_BYTES, BadFrame, decode_server, encode, known_encodings
from acetate_bridge.launch import CannotStart, start_server
from acetate_bridge.messages import Request
from acetate_bridge.pending import Pending
from acetate_bridge.protocol import (
    EVENTS,
    PROTOCOL,
    Acknowledge,
    Cancel,
    ClientMessage,
    Event,
    Failed,
    Hello,
    Missing,
    Models,
    Problem,
    Welcome,
)
from acetate_bridge.states import State

log = logging.getLogger("acetate.client")

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
_STARTING_SECONDS = 90.0
_STARTING_DELAY = 0.25
_OPEN_SECONDS = 15.0
_WELCOME_SECONDS = 30.0

OnEvent = Callable[[Event], None]
OnState = Callable[[State], None]
OnOffer = Callable[[Models], None]


class _Refused(Exception):
    """The server does not want us; says why."""


class Client:
    """Submits jobs and hears of them, from a thread of its own; never raises into the host.

    The callbacks run in that thread: an editor hands them on to its own. Nothing is lost when the
    connection is: jobs are submitted again until they are accepted, and what the server sent
    meanwhile comes later. `identity` names this client for as long as its jobs shall be its own;
    `last_event` and `store` (see `position`) go on where an earlier client with it stopped.

    `address` (`host:port`) and `token` default to the server that runs on this machine.
    """

    def __init__(
        self,
        identity: str,
        on_event: OnEvent,
        on_state: OnState | None = None,
        on_offer: OnOffer | None = None,
        *,
        address: str | None = None,
        token: str | None = None,
        store: str = "",
        last_event: int = 0,
        command: Sequence[str] | None = None,
    ) -> None:
        self._identity = identity
        self._on_event = on_event
        self._on_state = on_state
        self._on_offer = on_offer
        self._address = address
        self._token = token
        self._command = command
        self._pending = Pending(store, last_event)
        self._state = states.STOPPED
        self._offer: Models | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._early: list[Callable[[], object]] = []
        self._lock = threading.Lock()
        self._main: asyncio.Task[None] | None = None
        self._outgoing: asyncio.Queue[ClientMessage] | None = None
        self._wake = asyncio.Event()
        self._server_wanted = False
        self._starting_until = 0.0
        self._last_problem = ""
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
            self._pending.add(name, request)
            if self._outgoing is not None:
                self._say(self._pending.introduce(name))

        self._call(add)
        return name

    def cancel(self, job: str) -> None:
        """Stop a job; its ending comes as an event."""

        def stop() -> None:
            self._pending.cancel(job)
            self._say([Cancel(job)])

        self._call(stop)

    def acknowledge(self, job: str) -> None:
        """Tell the server that the results of a job are safe."""

        def thank() -> None:
            self._pending.acknowledge(job)
            self._say([Acknowledge(job)])

        self._call(thank)

    def retry(self) -> None:
        """Try to connect now instead of waiting."""
        self._call(self._wake.set)

    def start_server(self) -> None:
        """Start a server in the background if none is found, and connect to it."""

        def want() -> None:
            self._server_wanted = True
            self._wake.set()

        self._call(want)

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
        await self._keep_connected()

    async def _keep_connected(self) -> None:
        delay = FIRST_DELAY
        while True:
            self._wake.clear()
            pause = delay * random.uniform(0.75, 1.25)
            try:
                welcomed = await self._try_once(pause)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                log.exception("the session broke")
                self._become(states.waiting(type(error).__name__, pause))
                welcomed = False
            if welcomed:
                # It was a good connection: come back soon, and not all clients at once.
                delay = FIRST_DELAY
                pause = delay * random.uniform(0.0, 1.0)
            starting = asyncio.get_running_loop().time() < self._starting_until
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _STARTING_DELAY if starting else pause)
            delay = FIRST_DELAY if starting else min(LONGEST_DELAY, delay * 2)

    async def _try_once(self, pause: float) -> bool:
        """Find the server and talk to it until one side leaves; True if it ever welcomed us."""
        try:
            target = find_target(self._address, self._token)
        except BadAddress as error:
            self._become(states.cannot_start(str(error), pause))
            return False
        if target is None:
            await self._no_server(pause)
            return False
        welcomed: list[bool] = []
        try:
            await self._converse(target, welcomed)
        except _Refused as error:
            self._become(states.other_protocol(str(error), pause))
        except InvalidStatus as error:
            status = error.response.status_code
            refused = states.wrong_token(pause) if status == 401 else None
            self._become(refused or states.not_admitted(status, pause))
        except ConnectionClosed:
            self._become(states.waiting("the server closed it", pause))
        except (OSError, asyncio.TimeoutError, InvalidHandshake, BadFrame) as error:
            if welcomed:
                self._become(states.waiting(str(error), pause))
            else:
                await self._no_server(pause)
        return bool(welcomed)

    async def _no_server(self, pause: float) -> None:
        """Nobody is there: start a server if that is wanted, else say so."""
        if self._server_wanted:
            self._server_wanted = False
            try:
                child = await asyncio.to_thread(start_server, self._command)
            except CannotStart as error:
                self._become(states.cannot_start(str(error), pause))
                return
            threading.Thread(target=child.wait, name="acetate server", daemon=True).start()
            self._starting_until = asyncio.get_running_loop().time() + _STARTING_SECONDS
        if asyncio.get_running_loop().time() < self._starting_until:
            self._become(states.STARTING)
        else:
            self._become(states.no_server(pause))

    async def _converse(self, target: Target, welcomed: list[bool]) -> None:
        """One connection, from hello to its end; notes in `welcomed` that it came about."""
        self._become(states.CONNECTING)
        async with connect(
            target.url,
            additional_headers={"Authorization": f"Bearer {target.token}"},
            compression=None,
            proxy=None,
            max_size=MESSAGE_BYTES,
            open_timeout=_OPEN_SECONDS,
            close_timeout=2,
            ping_interval=20,
            ping_timeout=60,
        ) as connection:
            encodings = preferred_encodings(target.local)
            features = [f"encoding:{name}" for name in encodings]
            pending = self._pending
            hello = Hello(PROTOCOL, self._identity, features, pending.last_event, pending.store)
            await connection.send(encode(hello))
            welcome = await self._welcome(connection)
            welcomed.append(True)
            self._starting_until = 0.0
            self._server_wanted = False
            outgoing: asyncio.Queue[ClientMessage] = asyncio.Queue()
            self._outgoing = outgoing
            sender = asyncio.create_task(_send_all(connection, outgoing, encodings))
            try:
                self._say(pending.resume(welcome.store))
                self._become(State(states.Connection.READY, f"Connected to {welcome.server}."))
                self._announce(Models(welcome.models, welcome.modes))
                await self._listen(connection)
            finally:
                self._outgoing = None
                sender.cancel()
                await asyncio.gather(sender, return_exceptions=True)

    async def _welcome(self, connection: ClientConnection) -> Welcome:
        first = decode_server(await asyncio.wait_for(connection.recv(), _WELCOME_SECONDS))
        if isinstance(first, Problem):
            raise _Refused(first.message)
        if not isinstance(first, Welcome):
            raise BadFrame("bad_message", "the server did not say welcome")
        if first.protocol != PROTOCOL:
            raise _Refused(f"The server speaks protocol {first.protocol}, this side {PROTOCOL}.")
        return first

    async def _listen(self, connection: ClientConnection) -> None:
        async for frame in connection:
            try:
                message = decode_server(frame)
            except BadFrame as error:
                if error.code == "unknown_message":
                    continue  # A newer server says something that this client need not know.
                raise
            if isinstance(message, EVENTS):
                self._deliver(message)
            elif isinstance(message, Models):
                self._announce(message)
            elif isinstance(message, Missing):
                self._supply(message)
            elif isinstance(message, Problem):
                self._last_problem = message.message
                log.warning("the server met a problem: %s", message.message)

    def _supply(self, missing: Missing) -> None:
        for message in self._pending.supply(missing, self._last_problem):
            if isinstance(message, Failed):
                _guarded(self._on_event, message)
            else:
                self._say([message])

    def _say(self, messages: Iterable[ClientMessage]) -> None:
        """Queue messages on the connection that stands; without one they are said on the next."""
        for message in messages:
            if self._outgoing is not None:
                self._outgoing.put_nowait(message)

    def _deliver(self, event: Event) -> None:
        if self._pending.settle(event):
            _guarded(self._on_event, event)

    def _announce(self, offer: Models) -> None:
        self._offer = offer
        if self._on_offer is not None:
            _guarded(self._on_offer, offer)

    def _become(self, state: State) -> None:
        if state != self._state:
            self._state = state
            if self._on_state is not None:
                _guarded(self._on_state, state)


def preferred_encodings(local: bool) -> list[str]:
    """Raw pixels on this machine, where bytes are cheap; packed ones over a network."""
    known = known_encodings()
    return ["raw"] if local else [name for name in ("webp", "png", "raw") if name in known]


async def _send_all(
    connection: ClientConnection, messages: asyncio.Queue[ClientMessage], encodings: list[str]
) -> None:
    while True:
        message = await messages.get()
        await connection.send(encode(message, encodings))


def _guarded(callback: Callable[[Any], None], value: Any) -> None:
    """A fault in the host's callback is the host's: it must not end the session."""
    try:
        callback(value)
    except Exception:
        log.exception("a callback of the host failed")
