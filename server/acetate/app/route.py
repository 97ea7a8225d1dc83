"""A row of the table of routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Route:
    """A row of the table; what follows `summary` is for the description of the interface.

    `takes` and `gives` are types of JSON, or the names of media types (several for `takes`).
    `optional` are fields of what it takes that may be left out, `refuses` the statuses of its
    refusals beyond those that every route has, `query` its fields with their JSON schemas.
    """

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    summary: str
    takes: type[Any] | str | tuple[str, ...] | None = None
    gives: type[Any] | str | None = None
    status: int = 200
    query: Mapping[str, Any] = field(default_factory=dict[str, Any])
    refuses: tuple[int, ...] = ()
    optional: tuple[str, ...] = ()
