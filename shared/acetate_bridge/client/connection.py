"""The connection of a client: found, kept, lost and found again, in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import ssl
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from subprocess import Popen

from acetate_bridge.client import connection_state as states
from acetate_bridge.client.address import BadAddress, Target, Where
from acetate_bridge.client.connection_state import State
from acetate_bridge.client.handshake import NotProven, WrongToken, opening, prove
from acetate_bridge.client.launcher import CannotStart, last_words, start_server
from acetate_bridge.client.own_version import plugin_version
from acetate_bridge.client.pending_jobs import Pending
from acetate_bridge.client.websocket import (
    ClientConnection,
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    time_limit,
)
from acetate_bridge.protocol.chunking import PARTS_FEATURE, Gathering, frames, joined
from acetate_bridge.protocol.codec import (
    MESSAGE_BYTES,
    BadFrame,
    decode_server,
    encode,
    encode_pieces,
    known_encodings,
)
from acetate_bridge.protocol.messages import (
    EVENTS,
    PROTOCOL,
    QUEUE_FEATURE,
    ClientMessage,
    Event,
    Failed,
    Hello,
    Missing,
    Models,
    Problem,
    Queue,
    Welcome,
)

log = logging.getLogger("acetate.client")

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
_STARTING_SECONDS = 90.0
_STARTING_DELAY = 0.25
_OTHER_SECONDS = 5.0
"""How long a server that another editor has begun may take, once ours has made way for it."""
_OPEN_SECONDS = 15.0
_WELCOME_SECONDS = 30.0


class _Refused(Exception):
    """The server does not want us; says why."""


@dataclass(frozen=True)
class Ears:
    """Who is told of what comes; none of these may raise."""

    event: Callable[[Event], None]
    state: Callable[[State], None]
    offer: Callable[[Models], None]
    queue: Callable[[Queue | None], None]


class Link:
    """Belongs to one event loop. What has to survive a cut connection is in `pending`."""

    def __init__(
        self,
        identity: str,
        pending: Pending,
        ears: Ears,
        where: Where,
        command: Sequence[str] | None,
    ) -> None:
        self._identity = identity
        self._pending = pending
        self._ears = ears
        self._where = where
        self._command = command
        self._outgoing: asyncio.Queue[ClientMessage] | None = None
        self._wake = asyncio.Event()
        self._server_wanted = False
        self._starting_until = 0.0
        self._child: Popen[bytes] | None = None
        self._why_not_started = ""
        self._last_problem = ""

    @property
    def stands(self) -> bool:
        """Whether what is said now is sent."""
        return self._outgoing is not None

    def wake(self) -> None:
        """Try to connect now instead of waiting."""
        self._wake.set()

    def want_server(self) -> None:
        """Start a server if none is found; while a connection stands, that is no wish for later."""
        if self.stands:
            return
        self._server_wanted = True
        self._wake.set()

    def say(self, messages: Iterable[ClientMessage]) -> None:
        """Queue messages on the connection that stands; without one they are said on the next."""
        for message in messages:
            if self._outgoing is not None:
                self._outgoing.put_nowait(message)

    async def keep_connected(self) -> None:
        """Connect, and connect again, until the task is cancelled."""
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
                self._ears.state(states.waiting(type(error).__name__, pause))
                welcomed = False
            if welcomed:
                # It was a good connection: come back soon, and not all clients at once.
                delay = FIRST_DELAY
                pause = delay * random.uniform(0.0, 1.0)
            starting = asyncio.get_running_loop().time() < self._starting_until
            # Before Python 3.12 `wait_for` loses a cancellation that comes with what it waits for.
            with contextlib.suppress(asyncio.TimeoutError):
                async with time_limit(_STARTING_DELAY if starting else pause):
                    await self._wake.wait()
            delay = FIRST_DELAY if starting else min(LONGEST_DELAY, delay * 2)

    async def _try_once(self, pause: float) -> bool:
        """Find the server and talk to it until one side leaves; True if it ever welcomed us."""
        try:
            target = self._where.find()
        except BadAddress as error:
            self._ears.state(states.bad_address(str(error), pause))
            return False
        if target is None:
            await self._no_server(pause)
            return False
        welcomed: list[bool] = []
        try:
            await self._converse(target, welcomed)
        except _Refused as error:
            self._ears.state(states.other_protocol(str(error), pause))
        except WrongToken:
            self._ears.state(states.wrong_token(pause))
        except NotProven as error:
            if self._where.address is None and (self._server_wanted or self._child is not None):
                # Somebody else has the port of a server that is gone: ours takes another one.
                await self._no_server(pause)
            else:
                self._ears.state(states.not_proven(str(error), pause))
        except InvalidStatus as error:
            status = error.response.status_code
            refused = states.wrong_token(pause) if status == 401 else None
            self._ears.state(refused or states.not_admitted(status, pause))
        except ConnectionClosed:
            self._ears.state(states.waiting("the server closed it", pause))
        except ssl.SSLCertVerificationError:
            self._ears.state(states.other_certificate(pause))
        except (OSError, asyncio.TimeoutError, InvalidHandshake, BadFrame) as error:
            if welcomed:
                self._ears.state(states.waiting(str(error), pause))
            else:
                await self._no_server(pause)
        return bool(welcomed)

    async def _no_server(self, pause: float) -> None:
        """Nobody is there: start a server if that is wanted, else say so."""
        now = asyncio.get_running_loop().time()
        if self._server_wanted:
            self._server_wanted = False
            self._starting_until = 0.0
            await self._start()
        elif self._child is not None and self._child.poll():
            self._child = None
            self._why_not_started = f"The server did not start: {last_words()}"
            self._starting_until = min(self._starting_until, now + _OTHER_SECONDS)
        if now < self._starting_until:
            self._ears.state(states.STARTING)
        elif self._why_not_started:
            self._ears.state(states.cannot_start(self._why_not_started, pause))
        else:
            self._ears.state(states.no_server(pause))

    async def _start(self) -> None:
        self._why_not_started = ""
        try:
            self._child = await asyncio.to_thread(start_server, self._command)
        except CannotStart as error:
            self._why_not_started = str(error)
            return
        threading.Thread(target=self._child.wait, name="acetate server", daemon=True).start()
        self._starting_until = asyncio.get_running_loop().time() + _STARTING_SECONDS

    async def _converse(self, target: Target, welcomed: list[bool]) -> None:
        """One connection, from hello to its end; notes in `welcomed` that it came about."""
        self._ears.state(states.CONNECTING)
        headers = await prove(target, _OPEN_SECONDS)
        async with opening(
            target,
            headers,
            _OPEN_SECONDS,
            max_size=MESSAGE_BYTES,
            ping_interval=20,
            ping_timeout=60,
        ) as connection:
            encodings = preferred_encodings(target.local)
            features = [PARTS_FEATURE, QUEUE_FEATURE, *(f"encoding:{name}" for name in encodings)]
            pending = self._pending
            hello = Hello(PROTOCOL, self._identity, features, pending.last_event, pending.store)
            await connection.send(encode(hello))
            welcome = await self._welcome(connection)
            welcomed.append(True)
            self._starting_until = 0.0
            self._server_wanted = False
            self._child, self._why_not_started = None, ""
            outgoing: asyncio.Queue[ClientMessage] = asyncio.Queue()
            self._outgoing = outgoing
            in_parts = PARTS_FEATURE in welcome.features
            sender = asyncio.create_task(_send_all(connection, outgoing, encodings, in_parts))
            try:
                self.say(pending.resume(welcome.store))
                self._ears.state(states.ready(welcome.server, plugin_version()))
                self._ears.offer(Models(welcome.models, welcome.modes, welcome.wildcards))
                await self._listen(connection)
            finally:
                self._outgoing = None
                self._ears.queue(None)
                sender.cancel()
                await asyncio.gather(sender, return_exceptions=True)

    async def _welcome(self, connection: ClientConnection) -> Welcome:
        async with time_limit(_WELCOME_SECONDS):
            first = decode_server(await connection.recv())
        if isinstance(first, Problem):
            raise _Refused(first.message)
        if not isinstance(first, Welcome):
            raise BadFrame("bad_message", "the server did not say welcome")
        if first.protocol != PROTOCOL:
            raise _Refused(f"The server speaks protocol {first.protocol}, this side {PROTOCOL}.")
        return first

    async def _listen(self, connection: ClientConnection) -> None:
        gathering = Gathering()
        async for frame in connection:
            if isinstance(frame, bytes):
                pieces = gathering.add(frame)
                if pieces is None:
                    continue
                frame = joined(pieces)
            try:
                message = decode_server(frame)
            except BadFrame as error:
                if error.code == "unknown_message":
                    continue  # A newer server says something that this client need not know.
                raise
            if isinstance(message, EVENTS):
                self._deliver(message)
            elif isinstance(message, Models):
                self._ears.offer(message)
            elif isinstance(message, Queue):
                self._ears.queue(message)
            elif isinstance(message, Missing):
                self._supply(message)
            elif isinstance(message, Problem):
                self._last_problem = message.message
                log.warning("the server met a problem: %s", message.message)

    def _supply(self, missing: Missing) -> None:
        for message in self._pending.supply(missing, self._last_problem):
            if isinstance(message, Failed):
                self._ears.event(message)
            else:
                self.say([message])

    def _deliver(self, event: Event) -> None:
        if self._pending.settle(event):
            self._ears.event(event)


def preferred_encodings(local: bool) -> list[str]:
    """Raw pixels on this machine, where bytes are cheap; packed ones over a network."""
    known = known_encodings()
    return ["raw"] if local else [name for name in ("webp", "png", "raw") if name in known]


async def _send_all(
    connection: ClientConnection,
    messages: asyncio.Queue[ClientMessage],
    encodings: list[str],
    in_parts: bool,
) -> None:
    while True:
        message = await messages.get()
        try:
            pieces = encode_pieces(message, encodings)
        except BadFrame as error:
            # Said again it would fail again; a job of that kind has ended before it came here.
            log.warning("a message %s cannot be sent: %s", type(message).__name__, error)
            continue
        for frame in frames(pieces, in_parts):
            await connection.send(frame)
