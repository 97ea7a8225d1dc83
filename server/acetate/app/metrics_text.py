"""The figures of `/metrics` in the format of Prometheus.

Modes and states are from tables, painters are named by device: nothing of a client, of a prompt or
of a model's name becomes a label, so the number of series stays small.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE_LATEST
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

import acetate
from acetate.jobs.observation import BOUNDS, Observation, Spread
from acetate.workers.engine import Health


@dataclass(frozen=True)
class Figures:
    """What is told at one moment; sizes are in bytes."""

    observation: Observation
    health: Mapping[str, Health]
    sessions: int
    stored: int
    quota: int
    memory: int


def written(figures: Figures) -> bytes:
    """The figures as Prometheus reads them."""

    class Figured(Collector):
        def collect(self) -> Iterable[Metric]:
            yield from _of_jobs(figures.observation)
            yield from _of_workers(figures.health)
            yield from _of_server(figures)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figured())
    return generate_latest(registry)


def _of_jobs(observation: Observation) -> Iterable[Metric]:
    jobs = GaugeMetricFamily("acetate_jobs", "Jobs that have not ended", labels=["state", "mode"])
    for (state, mode), count in sorted(observation.open().items()):
        jobs.add_metric([state, mode], count)
    yield jobs
    ended = CounterMetricFamily(
        "acetate_jobs_ended", "Jobs that have ended", labels=["state", "mode"]
    )
    for (state, mode), count in sorted(observation.ended.items()):
        ended.add_metric([state, mode], count)
    yield ended
    for name, text, spreads in (
        ("waiting", "Seconds that a job waited for a painter", observation.waiting),
        ("painting", "Seconds from a job's last beginning to its end", observation.painting),
    ):
        yield _histogram(f"acetate_job_{name}_seconds", text, spreads)
    yield CounterMetricFamily(
        "acetate_jobs_tried_again",
        "Jobs put back because their painter was lost",
        value=observation.tried_again,
    )
    yield CounterMetricFamily(
        "acetate_painted_bytes", "Pixels of finished layers", value=observation.painted_bytes
    )


def _histogram(name: str, text: str, spreads: Mapping[str, Spread]) -> Metric:
    family = HistogramMetricFamily(name, text, labels=["mode"])
    bounds = [*map(str, BOUNDS), "+Inf"]
    for mode, spread in sorted(spreads.items()):
        rising = list(zip(bounds, map(float, spread.rising()), strict=True))
        family.add_metric([mode], rising, spread.total)
    return family


def _of_workers(health: Mapping[str, Health]) -> Iterable[Metric]:
    busy = GaugeMetricFamily("acetate_worker_busy", "1 while it paints", labels=["worker"])
    age = GaugeMetricFamily(
        "acetate_worker_heartbeat_age_seconds",
        "Seconds since a busy painter was last heard; 0 for one that rests",
        labels=["worker"],
    )
    restarts = CounterMetricFamily(
        "acetate_worker_restarts", "Painters that were lost and replaced", labels=["worker"]
    )
    memory = GaugeMetricFamily(
        "acetate_worker_memory_bytes", "Resident memory of the process", labels=["worker"]
    )
    for name, state in health.items():
        busy.add_metric([name], float(state.busy))
        age.add_metric([name], state.age)
        restarts.add_metric([name], state.restarts)
        memory.add_metric([name], state.memory)
    yield from (busy, age, restarts, memory)


def _of_server(figures: Figures) -> Iterable[Metric]:
    yield GaugeMetricFamily("acetate_sessions", "Connected editors", value=figures.sessions)
    yield GaugeMetricFamily(
        "acetate_stored_bytes", "Results and inputs on disk", value=figures.stored
    )
    yield GaugeMetricFamily("acetate_quota_bytes", "Room for them", value=figures.quota)
    yield GaugeMetricFamily(
        "acetate_memory_bytes", "Resident memory of the server", value=figures.memory
    )
    yield InfoMetricFamily("acetate", "The server", value={"version": acetate.__version__})
