"""The seam between the worker process and the generator."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from acetate.workers.engine import Announcement
from acetate_bridge.protocol.types import Image, Layer, Request


@dataclass(frozen=True)
class PainterStep:
    """One denoising step is done: `step` of `steps`; `preview` draws the expected result."""

    step: int
    steps: int
    preview: Callable[[], Image]


@dataclass(frozen=True)
class Note:
    """A sentence on what is done differently than asked, such as to save memory."""

    sentence: str


class Painter(Protocol):
    """Paints single variants on one device and keeps its models between requests."""

    def announce(self) -> Announcement:
        """What this painter can do."""
        ...

    def paint(
        self, request: Request, on_step: Callable[[PainterStep | Note], None]
    ) -> Sequence[Layer]:
        """Layers of a request with one variant, at the frame's size."""
        ...


@runtime_checkable
class BatchPainter(Protocol):
    """A painter that can paint several variants together."""

    def at_once(self, request: Request) -> int:
        """How many of the variants of a request it paints together; 1: one by one."""
        ...

    def paint_each(
        self, request: Request, on_step: Callable[[PainterStep | Note], None]
    ) -> Generator[Sequence[Layer]]:
        """The layers of each variant of a request in turn; steps are counted over all of them."""
        ...


@runtime_checkable
class WarmingPainter(Protocol):
    """A painter that paints faster for what it does while nobody wants a painting."""

    warms_up: bool
    """Whether somebody calls `warm_up`; until then it does by itself what it needs, in a job."""

    @property
    def is_cold(self) -> bool:
        """Whether there is anything of the kind to do."""
        ...

    def warm_up(self, called: Callable[[], bool]) -> None:
        """Do it, until it is done or `called` says that a request has come."""
        ...


def load_painter(path: str, device: str, models_folder: Path) -> Painter:
    """Call the factory named `module:function` with a device and the folder of the models."""
    module, _, name = path.partition(":")
    factory = getattr(importlib.import_module(module), name)
    return factory(device, models_folder)
