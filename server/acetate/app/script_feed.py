"""What happens to the jobs of scripts and pages: who waits for news, and the latest previews."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator

from acetate.jobs.event_feed import Notice
from acetate.jobs.manager import Manager
from acetate.jobs.records import FreshLayer
from acetate_bridge.protocol.messages import Cancelled, Done, Failed, Preview, Queue

SCRIPTS = "http"
"""The client that all jobs of scripts belong to."""


class News:
    """Jobs that have changed since they were last asked for; a slow reader skips states."""

    def __init__(self) -> None:
        self._jobs: dict[str, None] = {}
        self._changed = asyncio.Event()

    def add(self, job: str) -> None:
        """A job has changed."""
        self._jobs[job] = None
        self._changed.set()

    async def take(self) -> list[str]:
        """The jobs that have changed; waits for one."""
        await self._changed.wait()
        jobs, self._jobs = list(self._jobs), {}
        self._changed.clear()
        return jobs


class ScriptFeed:
    """Hears of all jobs of scripts, and keeps the last preview of those that run."""

    def __init__(self, manager: Manager) -> None:
        self.previews: dict[str, Preview] = {}
        self._readers: list[News] = []
        manager.subscribe(SCRIPTS, self._on_notice)
        manager.watch_queue(SCRIPTS, self._on_queue)

    @property
    def readers(self) -> int:
        """How many listen."""
        return len(self._readers)

    @contextlib.contextmanager
    def listen(self) -> Generator[News]:
        """News from now on, until the context ends."""
        news = News()
        self._readers.append(news)
        try:
            yield news
        finally:
            self._readers.remove(news)

    def changed(self, job: str) -> None:
        """Tell every reader that a job has changed."""
        for news in self._readers:
            news.add(job)

    def _on_queue(self, queue: Queue) -> None:
        """Whoever waits may have moved up."""
        for job in queue.jobs:
            self.changed(job)

    def _on_notice(self, notice: Notice) -> None:
        job = notice.stored.job if isinstance(notice, FreshLayer) else notice.job
        if isinstance(notice, Preview):
            self.previews[job] = notice
        elif isinstance(notice, (Done, Failed, Cancelled)):
            self.previews.pop(job, None)
        self.changed(job)
