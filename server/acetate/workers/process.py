"""The worker process: reads requests from its standard input, writes events to its output.

Started as `python -m acetate.workers.process SETTINGS`. It ends when its input ends, so it never
outlives the server, however that one came to its end.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import BinaryIO

import msgspec

from acetate.logs import set_up
from acetate.workers import ipc as wire
from acetate.workers.generator_api import Painter, WarmingPainter, load_painter
from acetate.workers.job_runner import last_message
from acetate.workers.parent import die_with_parent

log = logging.getLogger("acetate.worker")

_GIVEN_UP = 4


class Outlet:
    """Sends messages from several threads, one at a time."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, message: wire.FromWorker, payload: bytes = b"") -> None:
        """Send, or end the process: without a server there is nothing left to do."""
        try:
            with self._lock:
                wire.send(self._stream, message, payload)
        except OSError:
            os._exit(0)


class Inlet:
    """Receives requests and stops in a thread of its own, also in the middle of a job."""

    def __init__(self, stream: BinaryIO) -> None:
        self.requests: queue.Queue[wire.Paint | wire.LookAgain] = queue.Queue()
        self._stream = stream
        self._stopped: set[str] = set()

    def start(self) -> None:
        """Begin to listen."""
        threading.Thread(target=self._listen, name="inlet", daemon=True).start()

    def is_stopped(self, job: str) -> bool:
        """Whether the server wants this job to stop."""
        return job in self._stopped

    def forget(self, job: str) -> None:
        """The job has ended; a later one may bear the same name."""
        self._stopped.discard(job)

    def _listen(self) -> None:
        try:
            while (message := wire.receive_in_worker(self._stream)) is not None:
                if isinstance(message, wire.Stop):
                    self._stopped.add(message.job)
                else:
                    self.requests.put(message)
        except Exception:
            log.exception("what the server said cannot be read")
        # Not sys.exit: the main thread may be deep inside a kernel.
        os._exit(0)


class Heart:
    """Beats while a job runs, from a thread of its own."""

    def __init__(self, outlet: Outlet, seconds: float) -> None:
        self._outlet = outlet
        self._seconds = seconds
        self._busy = threading.Event()
        threading.Thread(target=self._beat, name="heart", daemon=True).start()

    def busy(self, yes: bool) -> None:
        """Beat, or rest without costing anything."""
        if yes:
            self._busy.set()
        else:
            self._busy.clear()

    def _beat(self) -> None:
        pause = threading.Event()
        while self._busy.wait():
            self._outlet.send(wire.Beat())
            pause.wait(self._seconds)


def serve(settings: wire.WorkerSettings, source: BinaryIO, sink: BinaryIO) -> None:
    """Paint what comes in, for ever."""
    inlet, outlet = Inlet(source), Outlet(sink)
    inlet.start()
    heart = Heart(outlet, settings.beat_seconds)
    heart.busy(True)
    painter = load_painter(settings.painter, settings.device, Path(settings.models_folder))
    warming = painter if isinstance(painter, WarmingPainter) else None
    if warming is not None:
        warming.warms_up = True
    outlet.send(_announce(painter))
    heart.busy(False)
    while True:
        if warming is not None and warming.is_cold:
            heart.busy(True)  # A job that comes meanwhile is not yet told of.
            warming.warm_up(lambda: not inlet.requests.empty())
            heart.busy(False)
        order = inlet.requests.get()
        heart.busy(True)
        if isinstance(order, wire.LookAgain):
            outlet.send(_announce(painter))
        else:
            stopped = partial(inlet.is_stopped, order.job)
            ending = last_message(order, painter, outlet.send, stopped, settings.preview_seconds)
            outlet.send(ending)
            if isinstance(ending, wire.Broken) and ending.code == wire.DEVICE_LOST:
                log.error("the device is lost to this process: the next one may have it back")
                os._exit(_GIVEN_UP)
            inlet.forget(order.job)
        heart.busy(False)


def _announce(painter: Painter) -> wire.Ready:
    announcement = painter.announce()
    return wire.Ready(announcement.models, announcement.modes)


def main() -> None:
    """Entry of the process: keeps the pipes to itself and sends stray prints to stderr."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings = msgspec.json.decode(sys.argv[1], type=wire.WorkerSettings)
    set_up(settings.log_format)
    die_with_parent(settings.parent)
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    serve(settings, source, sink)


if __name__ == "__main__":
    main()
