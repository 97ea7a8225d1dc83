"""A row of the table of routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Route:
    """A row of the table; `takes` and `gives` are for the description of the interface."""

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    summary: str
    takes: type[Any] | str | None = None
    gives: type[Any] | str | None = None
    status: int = 200
    query: tuple[str, ...] = ()
