"""`/metrics`: figures of the queue, the painters and the store for Prometheus."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from aiohttp import web

from acetate.app.context import CONTEXT, Context
from acetate.app.responses import refusal
from acetate.workers.engine import Engine, Health, Watched
from acetate.workers.process_memory import memory_of

if TYPE_CHECKING:
    from acetate.app.metrics_text import Figures


async def show_metrics(request: web.Request) -> web.Response:
    try:
        from acetate.app.metrics_text import CONTENT_TYPE_LATEST, written
    except ImportError:
        return refusal(
            503,
            "no_metrics",
            "This server was installed without its metrics.",
            "Install them: pip install 'acetate[metrics]'",
        )
    text = written(await _figures(request.app[CONTEXT]))
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _figures(context: Context) -> Figures:
    from acetate.app.metrics_text import Figures

    stored = await context.ledger.read(context.ledger.store.used_bytes)
    # The system's own figures are files, which are not read in the event loop.
    health = await asyncio.to_thread(_health, context.manager.engines)
    memory = await asyncio.to_thread(memory_of, os.getpid())
    return Figures(
        context.manager.observation,
        health,
        len(context.sessions),
        stored,
        context.settings.quota,
        memory,
    )


def _health(engines: Iterable[Engine]) -> dict[str, Health]:
    """By name, with a number where two paint on one device."""
    found: dict[str, Health] = {}
    for engine in engines:
        name, number = engine.name, 1
        while name in found:
            number += 1
            name = f"{engine.name} ({number})"
        found[name] = engine.health() if isinstance(engine, Watched) else Health()
    return found
