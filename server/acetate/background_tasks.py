"""Tasks that nobody awaits: kept from the garbage collector, and heard when they fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

log = logging.getLogger("acetate")

P = ParamSpec("P")
T = TypeVar("T")

_kept: set[asyncio.Future[Any]] = set()


def start_task(coroutine: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """Start a task whose failure goes to the log, whether or not somebody awaits it."""
    task = asyncio.create_task(coroutine, name=name)
    _keep(task, name)
    return task


def start_call(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
    """Call a function that blocks in a thread; its failure goes to the log."""
    loop = asyncio.get_running_loop()
    future = loop.run_in_executor(None, lambda: function(*args, **kwargs))
    _keep(future, getattr(function, "__name__", "call"))
    return future


def _keep(future: asyncio.Future[Any], name: str) -> None:
    def ended(done: asyncio.Future[Any]) -> None:
        _kept.discard(done)
        if not done.cancelled() and (error := done.exception()) is not None:
            log.error("%s ended in a fault", name, exc_info=error)

    _kept.add(future)
    future.add_done_callback(ended)
