"""Telling each client how its own waiting jobs stand, whenever that changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from acetate.jobs.fair_queue import FairQueue
from acetate_bridge.protocol.messages import Queue

Watcher = Callable[[Queue], None]

_SHORT = 200
_SECONDS_EACH = 0.001
_LONGEST_SECONDS = 5.0


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
        return self._by_client().get(client) or Queue([], [])

    def _by_client(self) -> dict[str, Queue]:
        """How the jobs of all stand."""
        jobs: dict[str, list[str]] = {}
        places: dict[str, list[int]] = {}
        for place, (client, job) in enumerate(self._queue.order()):
            jobs.setdefault(client, []).append(job)
            places.setdefault(client, []).append(place)
        return {client: Queue(jobs[client], places[client]) for client in jobs}

    def _changed(self) -> None:
        if not self._watchers or self._soon is not None:
            return
        loop = asyncio.get_running_loop()
        # To look at a long queue takes milliseconds, and every change moves everybody.
        if (waiting := len(self._queue)) < _SHORT:
            self._soon = loop.call_soon(self._tell)
        else:
            self._soon = loop.call_later(min(_LONGEST_SECONDS, waiting * _SECONDS_EACH), self._tell)

    def _tell(self) -> None:
        self._soon = None
        all_now = self._by_client()
        for client, watchers in list(self._watchers.items()):
            now = all_now.get(client) or Queue([], [])
            if now != self._told.get(client):
                self._told[client] = now
                for watcher in list(watchers):
                    watcher(now)
