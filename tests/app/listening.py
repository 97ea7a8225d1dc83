"""A client whose events a test can wait for."""

from __future__ import annotations

import queue
import time
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from acetate_bridge import Client, Recipe, Request, State
from acetate_bridge.client.pending_jobs import is_ending
from acetate_bridge.protocol.messages import Event, LayerReady, ModelInfo, Models
from tests.app.server_process import LONG

T = TypeVar("T")


class Listener:
    """Connects to a server; keeps every event in `events` and every state in `states`."""

    def __init__(self, address: str, token: str, name: str = "", acknowledge: bool = True) -> None:
        self.events: list[Event] = []
        self.states: list[State] = []
        self.offers: list[Models] = []
        self._offered: queue.Queue[Models] = queue.Queue()
        self._news: queue.Queue[Event] = queue.Queue()
        self._acknowledge = acknowledge
        self.client = Client(
            name or f"test-{uuid.uuid4().hex[:8]}",
            self._take,
            self.states.append,
            self._offered.put,
            address=address,
            token=token,
        )

    def __enter__(self) -> Listener:
        self.client.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.stop(LONG)

    def _take(self, event: Event) -> None:
        if is_ending(event) and self._acknowledge:
            self.client.acknowledge(event.job)
        # Last: whoever waits for it may stop the client at once.
        self._news.put(event)

    def submit(self, prompt: str = "a cat", **recipe: int | float | str) -> str:
        """Ask for a small picture."""
        values: dict[str, int | float | str] = {"mode": "text", "steps": 3, "seed": 5, **recipe}
        return self.client.submit(Request(Recipe(prompt=prompt, **values)))  # type: ignore[arg-type]

    def wait(self, wanted: Callable[[Event], bool], timeout: float = LONG) -> Event:
        """The first event that is wanted, from what came already or comes in time."""
        seen = 0
        until = time.monotonic() + timeout
        while True:
            for event in self.events[seen:]:
                if wanted(event):
                    return event
            seen = len(self.events)
            try:
                self.events.append(self._news.get(timeout=max(0.0, until - time.monotonic())))
            except queue.Empty:
                raise AssertionError(f"it did not come; what came: {self.summary()}") from None

    def model(
        self, model: str, wanted: Callable[[ModelInfo], bool], timeout: float = LONG
    ) -> ModelInfo:
        """What is said of a model, as soon as it is as wanted."""
        until = time.monotonic() + timeout
        seen: list[ModelInfo] = []
        while True:
            try:
                offer = self._offered.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"it did not come; what came: {seen}") from None
            self.offers.append(offer)
            for info in offer.models:
                if info.id == model:
                    seen.append(info)
                    if wanted(info):
                        return info

    def ending(self, job: str, timeout: float = LONG) -> Event:
        """How a job ended."""
        return self.wait(lambda event: event.job == job and is_ending(event), timeout)

    def of(self, job: str, kind: type[T]) -> list[T]:
        """Events of one kind about a job, in their order."""
        return [event for event in self.events if event.job == job and isinstance(event, kind)]

    def layer_names(self) -> list[tuple[str, int]]:
        """Job and index of each layer that came."""
        return [(e.job, e.index) for e in self.events if isinstance(e, LayerReady)]

    def summary(self) -> list[str]:
        """Kinds of events, and how the connection stands."""
        return [type(event).__name__ for event in self.events] + [repr(self.client.state)]
