"""Bytes that clients are sending: all of them together may have only so many under way.

A client may send 256 MB in one message, and there may be many clients: without a common budget
those who have the token fill the memory with what never becomes a message.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from aiohttp import web

from acetate.jobs.records import Refused

MESSAGES_AT_ONCE = 2
"""The budget, in messages of the largest size."""


def busy(most: int) -> Refused:
    """What is said to whoever would send more than the budget has left."""
    return Refused(
        "busy",
        f"The server takes in {most // 2**20} MB at once from all clients together.",
        "Send it again in a moment.",
    )


class Account:
    """What one sender has under way."""

    def __init__(self, incoming: Incoming) -> None:
        self._incoming = incoming
        self._held = 0

    def add(self, size: int) -> bool:
        """Count bytes that have come; False, and nothing counted, when they are too many."""
        if self._incoming.held + size > self._incoming.most:
            return False
        self._held += size
        self._incoming.held += size
        return True

    def drop(self, size: int) -> None:
        """So many of them are needed no longer."""
        size = min(size, self._held)
        self._held -= size
        self._incoming.held -= size

    def close(self) -> None:
        """Nothing more comes."""
        self.drop(self._held)


class Incoming:
    """The budget of one server. Belongs to one event loop."""

    def __init__(self, largest: int) -> None:
        """`largest` is the size of the largest message, in bytes."""
        self.most = MESSAGES_AT_ONCE * largest
        self.held = 0

    def account(self) -> Account:
        """For one sender, to be closed by it."""
        return Account(self)

    @contextlib.contextmanager
    def counted(self) -> Generator[Account]:
        """An account for as long as this lasts."""
        account = self.account()
        try:
            yield account
        finally:
            account.close()


async def read_counted(request: web.Request, account: Account, incoming: Incoming) -> bytes:
    """A whole body, which stays counted. Raises Refused when it is too large, or all are."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        if not account.add(len(chunk)):
            raise busy(incoming.most)
        body += chunk
        if len(body) > incoming.most // MESSAGES_AT_ONCE:
            raise Refused("too_large", "The image is too large.")
    return bytes(body)
