"""What happens to jobs, counted for whoever watches the server and told to its log."""

from __future__ import annotations

import bisect
import itertools
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from acetate_bridge.protocol.messages import Cancelled, Done, Failed

log = logging.getLogger("acetate.jobs")

BOUNDS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Seconds up to which waiting and painting are told apart."""


@dataclass
class Spread:
    """How many durations lie up to each of `BOUNDS`, and their sum in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect.bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def rising(self) -> Sequence[int]:
        """How many lie up to each bound, and at last all."""
        return list(itertools.accumulate(self.counts))


@dataclass
class _Watch:
    """A job that has not ended: since when it is in its state."""

    mode: str
    since: float
    running: bool = False


class Observation:
    """Belongs to one event loop. Nothing of a prompt comes here: a job is its id and its mode."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._watched: dict[str, _Watch] = {}
        # By ending (`done`, `failed`, `cancelled`) and mode.
        self.ended: Counter[tuple[str, str]] = Counter()
        self.waiting: dict[str, Spread] = {}
        self.painting: dict[str, Spread] = {}
        self.tried_again = 0
        self.painted_bytes = 0

    def open(self) -> Counter[tuple[str, str]]:
        """Jobs that have not ended, by state (`queued`, `running`) and mode."""
        return Counter(
            ("running" if watch.running else "queued", watch.mode)
            for watch in self._watched.values()
        )

    def accepted(self, job: str, mode: str) -> None:
        """A job waits."""
        self._watched[job] = _Watch(mode, self._clock())
        log.info("job %s waits, mode %s", job, mode, extra={"job": job})

    def begun(self, job: str, engine: str, attempt: int) -> None:
        """An engine has it."""
        if (watch := self._watched.get(job)) is None:
            return
        seconds = self._turn(watch, running=True)
        self.waiting.setdefault(watch.mode, Spread()).add(seconds)
        words = "job %s is painted by %s, attempt %d, after %.1f s"
        log.info(words, job, engine, attempt, seconds, extra={"job": job})

    def put_back(self, job: str) -> None:
        """It waits again: its engine was lost."""
        self.tried_again += 1
        if (watch := self._watched.get(job)) is not None:
            self._turn(watch, running=False)

    def over(self, ending: Done | Failed | Cancelled) -> None:
        """It has ended."""
        if (watch := self._watched.pop(ending.job, None)) is None:
            return
        running = watch.running
        seconds = self._turn(watch, running=False)
        if running:
            self.painting.setdefault(watch.mode, Spread()).add(seconds)
        name = type(ending).__name__.lower()
        self.ended[name, watch.mode] += 1
        code = f" ({ending.code})" if isinstance(ending, Failed) else ""
        words = "job %s is %s%s, after %.1f s"
        log.info(words, ending.job, name, code, seconds, extra={"job": ending.job})

    def _turn(self, watch: _Watch, running: bool) -> float:
        """Seconds since the last change of state, which is now."""
        now = self._clock()
        seconds, watch.since, watch.running = now - watch.since, now, running
        return seconds
