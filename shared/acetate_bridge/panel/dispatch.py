"""From the client's thread to the editor's: nothing is handled anywhere but on the GUI thread."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from acetate_bridge.client.client import OnEvent, OnOffer, OnQueue, OnState
from acetate_bridge.client.connection_state import State
from acetate_bridge.editing.job import Arrival, look_at
from acetate_bridge.protocol.messages import Event, LayerReady, Models, Preview, Queue
from acetate_bridge.protocol.setup import Setup
from acetate_bridge.protocol.types import Request


class Link(Protocol):
    """What the panel uses of a client."""

    def start(self) -> None: ...
    def stop(self, timeout: float = 5.0) -> None: ...
    def submit(self, request: Request, job: str | None = None) -> str: ...
    def cancel(self, job: str) -> None: ...
    def acknowledge(self, job: str) -> None: ...
    def move(self, job: str, before: str = "") -> None: ...
    def ask_page(self, done: Callable[[str, str], None]) -> None: ...
    def ask_setup(self, done: Callable[[Setup | None, str], None]) -> None: ...
    def update_plugin(self, editor: str, done: Callable[[str], None]) -> None: ...
    def retry(self) -> None: ...
    def start_server(self) -> None: ...
    def pull(self, model: str, accepted: Sequence[str] = ()) -> None: ...
    def pause(self, model: str) -> None: ...


class MakeLink(Protocol):
    """Makes the client of this identity; `address` and `token_file` name another server."""

    def __call__(
        self,
        identity: str,
        on_event: OnEvent,
        on_state: OnState,
        on_offer: OnOffer,
        on_queue: OnQueue,
        *,
        address: str | None = None,
        token_file: str = "",
    ) -> Link: ...


class Listener(Protocol):
    """Hears everything on the GUI thread."""

    def take(self, event: Event) -> None: ...
    def take_layer(self, event: LayerReady, arrival: Arrival) -> None: ...
    def take_state(self, state: State) -> None: ...
    def take_offer(self, offer: Models) -> None: ...
    def take_queue(self, queue: Queue | None) -> None: ...


class Hearing:
    """The callbacks of a client. Layers are looked at here, as that takes some milliseconds."""

    def __init__(self, call_soon: Callable[[Callable[[], None]], None], listener: Listener) -> None:
        self._call_soon = call_soon
        self._listener = listener
        self._previews: dict[str, Preview] = {}
        self._one_at_a_time = threading.Lock()

    def event(self, event: Event) -> None:
        """An event of a job."""
        if isinstance(event, Preview):
            # Only the newest is worth drawing; one call on its way fetches whatever is newest.
            with self._one_at_a_time:
                waiting = self._previews.get(event.job)
                self._previews[event.job] = event
            if waiting is None:
                self._call_soon(functools.partial(self._newest_preview, event.job))
        elif isinstance(event, LayerReady):
            arrival = look_at(event.layer)
            self._call_soon(functools.partial(self._listener.take_layer, event, arrival))
        else:
            self._call_soon(functools.partial(self._listener.take, event))

    def state(self, state: State) -> None:
        """The connection has changed."""
        self._call_soon(functools.partial(self._listener.take_state, state))

    def offer(self, offer: Models) -> None:
        """Modes and models have changed."""
        self._call_soon(functools.partial(self._listener.take_offer, offer))

    def queue(self, queue: Queue | None) -> None:
        """The waiting jobs stand in another order."""
        self._call_soon(functools.partial(self._listener.take_queue, queue))

    def _newest_preview(self, job: str) -> None:
        with self._one_at_a_time:
            event = self._previews.pop(job, None)
        if event is not None:
            self._listener.take(event)
