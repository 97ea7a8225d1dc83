"""Fetching all that a model lacks here, with one progress over its files, stoppable at any time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from acetate.errors import AcetateError, BadRequest
from acetate.models.catalog import Entry
from acetate.models.download_plan import check_room, plan_downloads
from acetate.models.hub_download import fetch
from acetate.models.hub_hosts import CannotFetch
from acetate.models.licences import accept, unaccepted, with_link


class LicenceNeeded(AcetateError):
    """The licences of a model have to be accepted before it is fetched; `licences` names them."""

    code = "licence_needed"

    def __init__(self, entry: Entry, licences: list[str]) -> None:
        names = " and ".join(map(with_link, licences))
        super().__init__(
            f"{entry.name} is licensed under {names}: read and accept with --accept-licence."
        )
        self.licences = licences


class PullStopped(AcetateError):
    """The download was stopped as asked; what has arrived is kept, and the next one goes on."""

    code = "stopped"


@dataclass(frozen=True)
class PullProgress:
    """Where a download stands, in bytes over all files that were lacking when it began."""

    file: str
    here: int
    total: int
    file_here: int
    file_total: int

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.here / self.total if self.total else 1.0


OnPull = Callable[[PullProgress], None]


def pull(
    entry: Entry,
    modes: tuple[str, ...] = (),
    *,
    accepted: bool = False,
    on_progress: OnPull | None = None,
    should_stop: Callable[[], bool] | None = None,
    endpoint: str | None = None,
) -> list[Path]:
    """Fetch what these modes of a model (default: all) lack here; the paths of what was fetched.

    Blocks until done, so call it from a thread or a process of its own; several may pull the same
    at once. `accepted` accepts the licences once and for all. `should_stop` is asked after every
    chunk. Raises LicenceNeeded, CannotFetch, PullStopped, or BadRequest for a mode that the model
    has not.
    """
    if unknown := set(modes) - set(entry.modes):
        raise BadRequest(
            f"{entry.id} cannot do {', '.join(sorted(unknown))}, only {', '.join(entry.modes)}."
        )
    if entry.lacking:
        raise CannotFetch(
            f"{entry.id} needs {' and '.join(entry.lacking)}, which is not here any more.",
            "Import or fetch that again: there is nothing else to fetch for it.",
        )
    agree(entry, accepted)
    downloads = plan_downloads(entry, modes or entry.modes, endpoint)
    check_room(downloads)
    total = sum(download.size for download in downloads)
    before = 0
    paths: list[Path] = []

    def report(name: str, here: int, size: int) -> None:
        if should_stop is not None and should_stop():
            raise PullStopped(f"The download of {entry.name} was stopped.", "It can be resumed.")
        if on_progress is not None:
            on_progress(PullProgress(name, before + here, total, here, size))

    for download in downloads:
        report(download.name, 0, download.size)
        paths.append(fetch(download, report, endpoint))
        before += download.size
    return paths


def agree(entry: Entry, accepted: bool = False) -> None:
    """Remember that the licences of a model are accepted. Raises LicenceNeeded if they are not."""
    if licences := unaccepted(entry):
        if not accepted:
            raise LicenceNeeded(entry, licences)
        accept(licences)
