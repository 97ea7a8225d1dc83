"""The jobs on their way, as a toolkit draws them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProgressView:
    """A bar and the words beside it. `share` lies between 0 and 1; None while unknown (pulse)."""

    share: float | None = None
    words: str = ""
    step: int = 0
    steps: int = 0
    seconds_left: str = ""


@dataclass(frozen=True)
class QueuedJob:
    """A job on its way: what it paints, in which document, and how far it is.

    `here`: it is for the document that the painter is in. `cancel(job)` stops it. `waits`: it is
    not painted yet; `sooner` and `later` say whether `move` can put it before or behind another.
    """

    job: str
    words: str
    title: str
    here: bool
    progress: ProgressView
    waits: bool = False
    sooner: bool = False
    later: bool = False
