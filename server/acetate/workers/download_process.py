"""A process that fetches or removes one model, and says on its output how far it is.

`python -m acetate.workers.download_process ORDER`, both ways in JSON. It stops when its input
ends, so it never outlives the server; what has arrived is kept, and the next one goes on.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

import msgspec

from acetate.workers.parent import die_with_parent

_NEWS_SECONDS = 0.25


class Order(msgspec.Struct, frozen=True):
    """What to do with a model; `accepted` are the licences that a person has accepted by name."""

    model: str
    models_folder: str
    accepted: list[str] = []
    remove: bool = False
    parent: int = 0


class News(msgspec.Struct, frozen=True, tag="news"):
    """Where a download stands, in bytes; `seconds_left` is negative while unknown."""

    here: int
    total: int
    seconds_left: float = -1.0


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The last line; without a code all went well."""

    code: str = ""
    message: str = ""
    hint: str = ""


Line = News | Ended
Say = Callable[[Line], None]


class Pace:
    """Seconds left, from the bytes that really travelled: resumed ones came for nothing."""

    def __init__(self) -> None:
        self._last: tuple[str, int, float] | None = None
        self._moved = 0
        self._spent = 0.0

    def seconds_left(self, file: str, file_here: int, left: int, now: float) -> float:
        """Take note of where a file stands; the time for `left` bytes, negative if unknown."""
        if self._last is not None and self._last[0] == file and self._last[1] > 0:
            self._moved += file_here - self._last[1]
            self._spent += now - self._last[2]
        self._last = (file, file_here, now)
        if self._moved <= 0 or self._spent <= 0:
            return -1.0
        return left * self._spent / self._moved


def main() -> None:
    """Entry of the process: keeps the output to itself and sends stray prints to stderr."""
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    order = msgspec.json.decode(sys.argv[1], type=Order)
    die_with_parent(order.parent)
    os.environ["ACETATE_MODELS_DIR"] = order.models_folder
    stop = threading.Event()
    threading.Thread(target=_wait_for_end, args=(stop,), daemon=True).start()

    def say(line: Line) -> None:
        try:
            sink.write(msgspec.json.encode(line) + b"\n")
            sink.flush()
        except OSError:
            stop.set()

    say(carry_out(order, stop, say))


def carry_out(order: Order, stop: threading.Event, say: Say) -> Ended:
    """Do it, and return how it ended."""
    from acetate.errors import AcetateError

    try:
        if order.remove:
            _remove(order.model)
        else:
            _pull(order, stop, say)
    except AcetateError as error:
        return Ended(error.code, str(error), error.hint)
    return Ended()


def _pull(order: Order, stop: threading.Event, say: Say) -> None:
    from acetate.models.licences import unaccepted
    from acetate.models.pull import LicenceNeeded, PullProgress, pull
    from acetate.models.registry import model_named

    entry = model_named(order.model)
    if needed := [name for name in unaccepted(entry) if name not in order.accepted]:
        raise LicenceNeeded(entry, needed)
    pace, told = Pace(), float("-inf")

    def show(progress: PullProgress) -> None:
        nonlocal told
        now = time.monotonic()
        left = progress.total - progress.here
        seconds = pace.seconds_left(progress.file, progress.file_here, left, now)
        if now - told >= _NEWS_SECONDS:
            told = now
            say(News(progress.here, progress.total, seconds))

    pull(entry, accepted=True, on_progress=show, should_stop=stop.is_set)


def _remove(model: str) -> None:
    from acetate.errors import BadRequest
    from acetate.models.catalog import entry_named
    from acetate.models.hub_cache import remove

    entry = entry_named(model)
    if not entry.parts:
        raise BadRequest(f"{entry.name} is part of Acetate and cannot be removed.")
    remove(entry)


def _wait_for_end(stop: threading.Event) -> None:
    # Not sys.stdin: its lock would be held at the end of the process.
    while os.read(0, 1024):
        pass
    stop.set()


if __name__ == "__main__":
    main()
