"""What waits to be sent to one session: all that matters, and the latest of what does not."""

from __future__ import annotations

import asyncio
from collections import deque

from acetate.jobs.event_feed import Notice
from acetate.jobs.records import FreshLayer
from acetate_bridge.protocol.messages import Models, Preview, Progress, Queue, ServerMessage

_FRESH_BYTES = 64 * 2**20
MOST_ANSWERS = 100
"""Waiting answers from which on a client is not listened to: it has to read first."""


class Outbox:
    """Keeps events in the order of their numbers; a slow reader gets only the latest preview.

    Layers beyond 64 MB give up their pixels, which are read from disk when their turn comes, so a
    reader that stands still costs next to nothing.
    """

    def __init__(self) -> None:
        self._notices: dict[tuple[str, object], Notice] = {}
        self._messages: deque[ServerMessage] = deque()
        self._fresh_bytes = 0
        self._held = True
        self._something = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    def answer(self, message: ServerMessage) -> None:
        """Send something that is no event, before all events."""
        for kind in (Models, Queue):
            if isinstance(message, kind):
                self._messages = deque(m for m in self._messages if not isinstance(m, kind))
        self._messages.append(message)
        self._something.set()
        if len(self._messages) >= MOST_ANSWERS and not self._closed:
            self._room.clear()

    async def room(self) -> None:
        """Wait until the client has read enough of what it was answered."""
        await self._room.wait()

    def close(self) -> None:
        """Nothing is sent any more, so nobody waits for room."""
        self._closed = True
        self._room.set()

    def put(self, notice: Notice) -> None:
        """Send an event when its turn comes."""
        key: tuple[str, object] = ("event", notice.sequence)
        if isinstance(notice, (Progress, Preview)):
            key = (type(notice).__name__, notice.job)
            self._notices.pop(key, None)
        elif isinstance(notice, FreshLayer):
            if self._fresh_bytes + len(notice.data) > _FRESH_BYTES:
                notice = notice.stored
            else:
                self._fresh_bytes += len(notice.data)
        self._notices[key] = notice
        self._something.set()

    def release(self, missed: list[Notice]) -> None:
        """Begin: what was missed comes first; what came in meanwhile is not said twice."""
        since, self._notices = self._notices, {}
        together = {notice.sequence: notice for notice in [*missed, *since.values()]}
        for sequence in sorted(together):
            notice = together[sequence]
            if isinstance(notice, FreshLayer):
                notice = notice.stored
            self.put(notice)
        self._fresh_bytes = 0
        self._held = False
        self._something.set()

    async def take(self) -> ServerMessage | Notice:
        """The next thing to send; waits for it."""
        while True:
            if self._messages:
                message = self._messages.popleft()
                if len(self._messages) < MOST_ANSWERS:
                    self._room.set()
                return message
            if self._notices and not self._held:
                key = next(iter(self._notices))
                notice = self._notices.pop(key)
                if isinstance(notice, FreshLayer):
                    self._fresh_bytes -= len(notice.data)
                return notice
            self._something.clear()
            await self._something.wait()
