"""One WebSocket session: a client says what it wants and hears what becomes of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from aiohttp import WSCloseCode, WSMsgType, web

import acetate
from acetate.app.connections import Handler
from acetate.app.incoming import Incoming, busy
from acetate.app.layer_encoding import PackedLayers
from acetate.app.outgoing import Outgoing, patience
from acetate.app.send_queue import Outbox
from acetate.app.uploads import Uploads
from acetate.app.validation import read_message
from acetate.background_tasks import start_task
from acetate.jobs.async_store import Ledger
from acetate.jobs.downloads import Downloads
from acetate.jobs.event_feed import Notice
from acetate.jobs.manager import Manager
from acetate.jobs.records import DiskFull, FreshLayer, MissingImages, Refused, StoredLayer
from acetate.prompting.wildcards import wildcard_names
from acetate.workers.engine import Announcement
from acetate_bridge.protocol.chunking import PARTS_FEATURE, Gathering, frames, joined
from acetate_bridge.protocol.codec import BadFrame, choose, encode, encode_pieces
from acetate_bridge.protocol.messages import (
    PROTOCOL,
    QUEUE_FEATURE,
    Acknowledge,
    Cancel,
    Failed,
    Hello,
    LayerReady,
    Missing,
    ModelMessage,
    Models,
    Move,
    Pause,
    Preview,
    Problem,
    Pull,
    Remove,
    ServerMessage,
    Submit,
    Upload,
    Welcome,
)

log = logging.getLogger("acetate.session")

_HELLO_SECONDS = 10.0
_PING_SECONDS = 30.0
_PARTING_SECONDS = 2.0
_PATIENCE = 100
_FRAME_BYTES = 14
"""The longest head of a frame."""
_LONGEST_CLIENT = 200
_MOST_CARED_FOR = 16
"""Orders about models that are followed at once."""


class Session:
    """Speaks protocol 1 over one connection."""

    def __init__(
        self,
        manager: Manager,
        ledger: Ledger,
        packed: PackedLayers,
        uploads: Uploads,
        downloads: Downloads,
        incoming: Incoming,
        outgoing: Outgoing,
    ) -> None:
        self._manager = manager
        self._downloads = downloads
        self._ledger = ledger
        self._uploads = uploads
        self._packed = packed
        self._outgoing = outgoing
        self._socket = web.WebSocketResponse(
            compress=False,
            max_msg_size=manager.limits.message_bytes,
            heartbeat=_PING_SECONDS,
        )
        self._outbox = Outbox()
        self._client = ""
        self._encodings = ["raw"]
        self._wildcards: list[str] = []
        self._in_parts = False
        self._gathering = Gathering()
        self._incoming, self._account = incoming, incoming.account()
        self._taken = 0
        self._turning_away: asyncio.Task[None] | None = None
        self._problems = 0
        self._caring: set[asyncio.Task[None]] = set()

    async def run(self, request: web.Request) -> web.WebSocketResponse:
        """Hold the conversation until either side leaves."""
        await self._socket.prepare(request)
        if isinstance(handler := request.protocol, Handler):
            handler.counted = lambda size: self._has_room(size, request)
        try:
            return await self._converse(request)
        finally:
            self._account.close()

    async def _converse(self, request: web.Request) -> web.WebSocketResponse:
        hello = await self._greet()
        if hello is None:
            return self._socket
        self._client = hello.client
        named = [name.removeprefix("encoding:") for name in hello.features if ":" in name]
        self._encodings = named or ["raw"]
        self._in_parts = PARTS_FEATURE in hello.features
        self._wildcards = await asyncio.to_thread(wildcard_names)
        leave = self._manager.subscribe(self._client, self._hear)
        leave_offer = self._manager.offers.listen(self._offer_changed)
        leave_queue: Callable[[], None] | None = None
        writer = start_task(self._write(), "a session's writer")

        def hang_up(ended: asyncio.Task[None]) -> None:
            # Whoever cannot be answered any more is not listened to either.
            self._outbox.close()
            if not ended.cancelled() and request.transport is not None:
                request.transport.abort()

        writer.add_done_callback(hang_up)
        try:
            self._outbox.answer(self._welcome())
            if QUEUE_FEATURE in hello.features:
                leave_queue = self._manager.watch_queue(self._client, self._outbox.answer)
            same_store = hello.store == self._manager.store_identity
            missed = await self._manager.missed(self._client, hello.last_event if same_store else 0)
            self._outbox.release(missed)
            await self._listen()
        except Refused as error:
            await self._refuse(BadFrame(error.code, error.message))
        finally:
            leave()
            leave_offer()
            if leave_queue is not None:
                leave_queue()
            writer.cancel()
            # Its failure, if it had one, is in the log.
            await asyncio.wait([writer])
        return self._socket

    def _has_room(self, size: int, request: web.Request) -> bool:
        """Whether bytes that have come may be kept; else the session ends with a sentence."""
        if self._turning_away is not None:
            return False
        if self._account.add(size):
            return True
        self._turning_away = start_task(self._turn_away(request), "turning a session away")
        return False

    async def _turn_away(self, request: web.Request) -> None:
        error = busy(self._incoming.most)
        frame = encode(Problem(error.code, error.message, error.hint))
        assert isinstance(frame, str)
        try:
            with contextlib.suppress(ConnectionError, TimeoutError):
                # Its own writes may be stuck, and what it still sends is not read.
                async with asyncio.timeout(_PARTING_SECONDS):
                    await self._socket.send_str(frame)
                    await self._socket.close(
                        code=WSCloseCode.TRY_AGAIN_LATER, message=error.code.encode(), drain=False
                    )
        finally:
            if request.transport is not None:
                request.transport.abort()

    def _forget(self, data: str | bytes) -> None:
        """A message has been dealt with; parts of one that is not whole stay counted."""
        size = len(data) if isinstance(data, bytes) or data.isascii() else len(data.encode())
        self._taken += size + _FRAME_BYTES
        if not self._gathering.begun:
            self._account.drop(self._taken)
            self._taken = 0

    async def close(self) -> None:
        """The server is going down."""
        await self._socket.close(code=WSCloseCode.GOING_AWAY, message=b"the server is stopping")

    # ---- the beginning

    async def _greet(self) -> Hello | None:
        """The client's hello; anything else is answered with a problem and a closed door."""
        try:
            async with asyncio.timeout(_HELLO_SECONDS):
                first = await self._socket.receive()
            if first.type is not WSMsgType.TEXT:
                raise BadFrame("hello_first", "The first message is hello.")
            hello = read_message(first.data)
            if not isinstance(hello, Hello):
                raise BadFrame("hello_first", "The first message is hello.")
            if hello.protocol != PROTOCOL:
                raise BadFrame(
                    "other_protocol",
                    f"This server speaks protocol {PROTOCOL}, the editor {hello.protocol}: "
                    "update the older of the two.",
                )
            if not 0 < len(hello.client) <= _LONGEST_CLIENT:
                raise BadFrame(
                    "bad_message", f"A client has a name of 1 to {_LONGEST_CLIENT} letters."
                )
        except BadFrame as error:
            await self._refuse(error)
        except TimeoutError:
            await self._refuse(BadFrame("hello_first", "No hello came."))
        else:
            return hello
        return None

    async def _refuse(self, error: BadFrame) -> None:
        with contextlib.suppress(ConnectionError):
            if not self._socket.closed:
                frame = encode(Problem(error.code, str(error)))
                assert isinstance(frame, str)
                await self._socket.send_str(frame)
        await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=error.code.encode())

    def _welcome(self) -> Welcome:
        offer = self._manager.offer or Announcement([], [])
        return Welcome(
            f"acetate {acetate.__version__}",
            PROTOCOL,
            self._manager.store_identity,
            offer.models,
            offer.modes,
            self._manager.limits,
            [PARTS_FEATURE, QUEUE_FEATURE],
            self._wildcards,
        )

    def _hear(self, notice: Notice) -> None:
        if isinstance(notice, FreshLayer):
            encoding = choose(self._encodings, notice.stored.format)
            if encoding != "raw":
                self._packed.begin(notice, encoding)
        self._outbox.put(notice)

    def _offer_changed(self, offer: Announcement) -> None:
        self._outbox.answer(Models(offer.models, offer.modes, self._wildcards))

    # ---- listening

    async def _listen(self) -> None:
        async for message in self._socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                break
            try:
                await self._take(message.data)
            except BadFrame as error:
                await self._complain(error.code, str(error))
            except Refused as error:
                self._outbox.answer(Problem(error.code, error.message, error.hint))
            except Exception:
                log.exception("a message could not be handled")
                await self._complain("internal", "The server met a fault of its own.")
            self._forget(message.data)
            # Whoever asks and does not read is held up by its own connection.
            await self._outbox.room()

    async def _take(self, frame: str | bytes) -> None:
        """One message; a large one is read in a thread, and its pixels stay packed."""
        if isinstance(frame, bytes):
            pieces = self._gathering.add(frame)
            if pieces is None:
                return
            message = await asyncio.to_thread(lambda: read_message(joined(pieces)))
        else:
            message = read_message(frame)
        match message:
            case Submit():
                await self._submit(message)
            case Upload():
                await self._upload(message)
            case Cancel():
                await self._manager.cancel(self._client, message.job)
            case Move():
                await self._manager.move(self._client, message.job, message.before)
            case Acknowledge():
                await self._manager.acknowledge(self._client, message.job)
            case Pull() | Pause() | Remove():
                # A task of its own: a process takes seconds to start or to stop.
                while len(self._caring) >= _MOST_CARED_FOR:
                    await asyncio.wait(self._caring, return_when=asyncio.FIRST_COMPLETED)
                task = start_task(self._care_for_model(message), type(message).__name__)
                self._caring.add(task)
                task.add_done_callback(self._caring.discard)
            case Hello():
                raise BadFrame("hello_once", "Hello is said once.")

    async def _submit(self, submit: Submit) -> None:
        try:
            await self._manager.submit(self._client, submit)
        except MissingImages as error:
            self._outbox.answer(Missing(submit.job, error.images))
        except (Refused, DiskFull) as error:
            self._outbox.answer(Failed(submit.job, 0, error.code, error.message, error.hint))

    async def _upload(self, upload: Upload) -> None:
        try:
            await self._uploads.keep(upload.image, upload.sha256)
        except DiskFull as error:
            self._outbox.answer(Problem(error.code, error.message, error.hint))

    async def _care_for_model(self, message: ModelMessage) -> None:
        try:
            match message:
                case Pull():
                    self._downloads.pull(message.model, message.accepted)
                case Pause():
                    await self._downloads.pause(message.model)
                case Remove():
                    await self._downloads.remove(message.model)
        except Refused as error:
            self._outbox.answer(Problem(error.code, error.message, error.hint))
        except Exception:
            log.exception("%s could not be followed", type(message).__name__)
            self._outbox.answer(Problem("internal", "The server met a fault of its own."))

    async def _complain(self, code: str, text: str) -> None:
        """Say what was wrong; a client that keeps it up is shown the door."""
        self._problems += 1
        if self._problems > _PATIENCE:
            await self._socket.close(
                code=WSCloseCode.POLICY_VIOLATION, message=b"too many problems"
            )
            return
        self._outbox.answer(Problem(code, text))

    # ---- talking

    async def _write(self) -> None:
        """Send what the outbox holds, one after another, as fast as the client reads."""
        with contextlib.suppress(ConnectionError, RuntimeError, TimeoutError):
            while True:
                # In a method of its own, so that nothing of what was sent is kept here.
                await self._send(await self._outbox.take())

    async def _send(self, item: object) -> None:
        """One item; raises TimeoutError where the client does not take it."""
        async with self._outgoing.room(_pixel_bytes(item)):
            try:
                pieces = await self._pieces(item)
            except (OSError, ValueError):
                # Evicted in between: the client acknowledged it, or it is a day old.
                return
            for frame in frames(pieces, self._in_parts):
                async with patience(len(frame)):
                    if isinstance(frame, str):
                        await self._socket.send_str(frame)
                    else:
                        await self._socket.send_bytes(frame)

    async def _pieces(self, item: object) -> str | list[bytes]:
        if isinstance(item, (FreshLayer, StoredLayer)):
            return encode_pieces(await self._layer(item))
        message: ServerMessage = item  # type: ignore[assignment]
        if isinstance(item, Preview):
            return await asyncio.to_thread(encode_pieces, message, self._encodings)
        return encode_pieces(message)

    async def _layer(self, item: FreshLayer | StoredLayer) -> LayerReady:
        """A layer as this client reads it."""
        stored = item.stored if isinstance(item, FreshLayer) else item
        encoding = choose(self._encodings, stored.format)
        if encoding != "raw":
            return stored.with_image(await self._packed.get(item, encoding))
        if isinstance(item, FreshLayer):
            return stored.with_image(stored.image(item.data))
        return stored.with_image(await self._ledger.load_layer(stored))


def _pixel_bytes(item: object) -> int:
    """The memory that a layer takes while it is sent."""
    stored = item.stored if isinstance(item, FreshLayer) else item
    return stored.pixel_bytes if isinstance(stored, StoredLayer) else 0
