"""What a client says reaches the GUI thread whole, whichever of the two threads is faster."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import cast

from acetate_bridge.panel.dispatch import Hearing, Listener
from acetate_bridge.protocol.messages import Event, Preview
from acetate_bridge.protocol.types import Image

SHORT = 0.2
"""Seconds in which the GUI thread would have come in between."""


class Panel:
    def __init__(self) -> None:
        self.taken: list[Event] = []

    def take(self, event: Event) -> None:
        self.taken.append(event)


class Job(str):
    """A name that lets something happen while it is looked up for the second time."""

    between: Callable[[], None] | None = None
    looks = 0

    def __hash__(self) -> int:
        self.looks += 1
        if self.looks == 2 and self.between is not None:
            self.between()
        return super().__hash__()


def test_a_preview_that_comes_while_the_one_before_is_fetched_is_drawn() -> None:
    panel, soon = Panel(), list[Callable[[], None]]()
    hearing = Hearing(soon.append, cast(Listener, panel))
    hearing.event(Preview("job-1", 1, Image(1, 1, bytes(4))))
    drawing = threading.Thread(target=lambda: soon.pop()())

    def draw() -> None:
        drawing.start()
        drawing.join(SHORT)

    job = Job("job-1")
    job.between = draw
    second = Preview(job, 2, Image(1, 1, bytes(4)))
    hearing.event(second)
    drawing.join()
    for action in soon:
        action()
    assert panel.taken[-1] is second
