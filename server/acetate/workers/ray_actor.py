"""What runs on a node of a Ray cluster: a painter, and the messages of a job as a stream."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import acetate
from acetate.workers import ipc as wire
from acetate.workers.engine import Announcement
from acetate.workers.generator_api import Painter, load_painter
from acetate.workers.job_runner import last_message

Delivery = tuple[wire.FromWorker, bytes]
"""A message and the pixels that belong to it, which lie in Ray's object store."""


class PaintActor:
    """A painter that keeps its models; `paint` and `stop` run in threads beside each other."""

    def __init__(self, settings: wire.WorkerSettings) -> None:
        self._settings = settings
        self._stopped: set[str] = set()
        self._painter: Painter = load_painter(
            settings.painter, settings.device, Path(settings.models_folder)
        )

    def version(self) -> str:
        """Of Acetate, as it is installed on the node."""
        return acetate.__version__

    def announce(self) -> Announcement:
        """What the painter can do on its node."""
        return self._painter.announce()

    def node(self) -> tuple[str, int]:
        """The node's id in the cluster and the process id there."""
        import ray

        return ray.get_runtime_context().get_node_id(), os.getpid()

    def stop(self, job: str) -> None:
        """Let this job end within a step."""
        self._stopped.add(job)

    def paint(self, order: wire.Paint) -> Iterator[Delivery]:
        """Messages of a job as they come; the last says how it ended."""
        messages: queue.Queue[Delivery | None] = queue.Queue()

        def send(message: wire.FromWorker, payload: bytes = b"") -> None:
            messages.put((message, payload))

        def work() -> None:
            try:
                send(
                    last_message(
                        order,
                        self._painter,
                        send,
                        lambda: order.job in self._stopped,
                        self._settings.preview_seconds,
                    )
                )
            finally:
                messages.put(None)

        thread = threading.Thread(target=work, name=f"paint {order.job}")
        thread.start()
        try:
            while (delivery := messages.get()) is not None:
                yield delivery
        finally:
            # A reader that has gone wants no further step.
            self._stopped.add(order.job)
            thread.join()
            self._stopped.discard(order.job)
