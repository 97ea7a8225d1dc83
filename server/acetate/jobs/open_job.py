"""A job under way, as the manager knows it."""

from __future__ import annotations

from dataclasses import dataclass

from acetate.jobs.records import JobRecord
from acetate.workers.engine import Engine
from acetate_bridge.protocol.messages import Progress
from acetate_bridge.protocol.types import Recipe


@dataclass
class OpenJob:
    """A job that has not ended."""

    record: JobRecord
    engine: Engine | None = None
    cancelled: bool = False
    progress: Progress | None = None
    recipe: Recipe | None = None
