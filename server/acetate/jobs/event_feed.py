"""Who hears of a client's jobs, and the number that each event bears."""

from __future__ import annotations

from collections.abc import Callable

from acetate.jobs.records import FreshLayer
from acetate.jobs.store import StoredEvent
from acetate_bridge.protocol.messages import Preview, Progress

Notice = StoredEvent | FreshLayer | Progress | Preview
"""What subscribers hear: a layer has its pixels at hand while it is fresh, later it has not."""
Subscriber = Callable[[Notice], None]


class EventFeed:
    """Belongs to one event loop, as all of the jobs do."""

    def __init__(self) -> None:
        self._subscribers: dict[str, list[Subscriber]] = {}
        self._sequence = 0

    def begin_after(self, sequence: int) -> None:
        """Number events from here on: no number is used twice, across restarts too."""
        self._sequence = sequence

    def next(self) -> int:
        """The number of the next event."""
        self._sequence += 1
        return self._sequence

    def subscribe(self, client: str, subscriber: Subscriber) -> Callable[[], None]:
        """Hear of this client's jobs from now on; call what is returned to stop."""
        self._subscribers.setdefault(client, []).append(subscriber)

        def leave() -> None:
            self._subscribers[client].remove(subscriber)
            if not self._subscribers[client]:
                del self._subscribers[client]

        return leave

    def publish(self, client: str, notice: Notice) -> None:
        """Tell everybody who listens to this client's jobs."""
        for subscriber in list(self._subscribers.get(client, ())):
            subscriber(notice)
