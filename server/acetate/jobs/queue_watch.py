"""Telling each client how its own waiting jobs stand, whenever that changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from acetate.jobs.fair_queue import FairQueue
from acetate_bridge.protocol.messages import Queue

Watcher = Callable[[Queue], None]


class QueueWatch:
    """Belongs to the event loop of the queue. Many changes in one turn are told once."""

    def __init__(self, queue: FairQueue) -> None:
        self._queue = queue
        queue.on_change = self._changed
        self._watchers: dict[str, list[Watcher]] = {}
        self._told: dict[str, Queue] = {}
        self._soon: asyncio.Handle | None = None

    def watch(self, client: str, watcher: Watcher) -> Callable[[], None]:
        """Be told at once, and of every change; call what is returned to be left alone."""
        self._watchers.setdefault(client, []).append(watcher)
        watcher(self.of(client))

        def leave() -> None:
            self._watchers[client].remove(watcher)
            if not self._watchers[client]:
                del self._watchers[client]
                self._told.pop(client, None)

        return leave

    def of(self, client: str) -> Queue:
        """How the jobs of one client stand."""
        turns = self._queue.order()
        places = [place for place, (whose, _) in enumerate(turns) if whose == client]
        return Queue([turns[place][1] for place in places], places)

    def _changed(self) -> None:
        if self._watchers and self._soon is None:
            self._soon = asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        self._soon = None
        for client, watchers in list(self._watchers.items()):
            now = self.of(client)
            if now != self._told.get(client):
                self._told[client] = now
                for watcher in list(watchers):
                    watcher(now)
