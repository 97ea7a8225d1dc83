"""What the queue needs from something that paints; a local process and a remote one fulfil it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from acetate.errors import AcetateError
from acetate_bridge.protocol.messages import ModeInfo, ModelInfo, Preview, Progress
from acetate_bridge.protocol.types import Layer, Request


@dataclass(frozen=True)
class Painted:
    """A finished layer of a variant."""

    layer: Layer
    variant: int = 0


EngineEvent = Progress | Preview | Painted
"""What the socket gets, in the words of the protocol: the queue gives it its sequence number."""


@dataclass(frozen=True)
class Announcement:
    """What an engine can do."""

    models: list[ModelInfo]
    modes: list[ModeInfo]


@dataclass(frozen=True)
class Health:
    """How an engine does: `age` are the seconds since a busy one was last heard (0: it rests).

    `restarts` counts the painters that it had to replace; `memory` is in bytes, 0 if not known.
    """

    busy: bool = False
    age: float = 0.0
    restarts: int = 0
    memory: int = 0


class PaintingFailed(AcetateError):
    """The request cannot be painted, and would fail again."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint, code=code)


class EngineLost(Exception):
    """The engine died or hung in the middle of a job; another try may succeed."""


class Engine(Protocol):
    """Paints one request at a time and keeps its models resident in between."""

    @property
    def name(self) -> str:
        """The device, for people: `cpu`, `cuda:0`."""
        ...

    async def start(self, announce: Callable[[Announcement], None]) -> None:
        """Get ready in the background; `announce` is called in the event loop, maybe again."""
        ...

    def look_again(self) -> None:
        """Announce anew, soon: models have come or gone."""
        ...

    def paint(self, job: str, request: Request) -> AsyncGenerator[EngineEvent]:
        """Events of a job as they happen; ends when all layers have been given.

        Raises PaintingFailed, Interrupted or EngineLost. Closing the generator early
        cancels the job and waits until the engine is free.
        """
        ...

    def cancel(self, job: str) -> None:
        """Stop the job within a denoising step, if it is the running one."""
        ...

    async def stop(self) -> None:
        """End at once; a running job ends in EngineLost."""
        ...


@runtime_checkable
class Watched(Protocol):
    """An engine that tells how it does."""

    def health(self) -> Health:
        """How it does now; may read the system's own figures, so not for an event loop."""
        ...


def is_selective(engine: Engine) -> bool:
    """Whether an engine gets jobs for the models that it has announced, and no others."""
    return bool(getattr(engine, "selective", False))
