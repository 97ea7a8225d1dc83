"""From a worker's message to what the queue hears of it, whatever carried the message."""

from __future__ import annotations

from acetate.errors import Interrupted
from acetate.workers import ipc as wire
from acetate.workers.engine import EngineEvent, Painted, PaintingFailed


def event_of(message: wire.FromWorker, payload: bytes) -> EngineEvent | None:
    """The event, or None for a message that is not for the queue.

    Raises Interrupted and PaintingFailed for the endings that are these.
    """
    match message:
        case wire.StepDone() | wire.PreviewMade():
            return message.event
        case wire.LayerPainted():
            return Painted(message.layer(payload), message.variant)
        case wire.Stopped():
            raise Interrupted
        case wire.Broken():
            raise PaintingFailed(message.code, message.message, message.hint)
        case _:
            return None
