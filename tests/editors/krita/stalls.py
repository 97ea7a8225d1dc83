"""Inside Krita: how long its GUI thread stands still while a layer comes in.

A timer of 5 ms ticks on the GUI thread; the longest gap between two ticks is the longest stall.
The bare calls, which no plug-in can do without, are measured in the same run, in turns. Ours is
all that the plug-in does on that thread: the layer, its recipe, the strip and the history.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from acetate_bridge.editing.insertion import Deliveries
from acetate_bridge.editing.job import Result, Task, record_of
from acetate_bridge.editing.plan import Situation, plan
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.types import Image, Layer, Recipe, Role
from acetate_krita.adapter.editor import KritaEditor
from acetate_krita.qt import QtCore
from krita import Krita
from tests.editors.krita.inside import busy

SRGB = "sRGB-elle-V2-srgbtrc.icc"
PAINTED = Recipe("text", "a paper lantern", seed=7, model="embedded", width=1024, height=1024)
_TICK = 5
_TURN = 0.02


class Ticks(QtCore.QTimer):
    """Remembers the longest gap between two of its ticks, in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
        self.setInterval(_TICK)
        self.timeout.connect(self._tick)
        self.longest, self._last = 0.0, time.perf_counter()

    def restart(self) -> None:
        self.longest, self._last = 0.0, time.perf_counter()
        self.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.longest = max(self.longest, now - self._last)
        self._last = now


def measure(side: int, depth: str = "U8", repeats: int = 9) -> Iterator[float | dict[str, Any]]:
    """Yields seconds to wait, and at last the figures in milliseconds."""
    application = Krita.instance()
    document = application.createDocument(side, side, "Stalls", "RGBA", depth, SRGB, 72.0)
    application.activeWindow().addView(document)
    yield from _rest(document)
    editor = KritaEditor()
    found = editor.active_document()
    assert found is not None
    size = 4 if found.pixel_format == "rgba8" else 8
    data = os.urandom(65536) * (side * side * size // 65536)
    layer = Layer(Image(side, side, data, found.pixel_format), Role.FOREGROUND, "x", 0, 0, PAINTED)
    picture = Image(96, 96, os.urandom(4 * 96 * 96))
    where = plan("text", Situation(found), FrameLimits())
    jobs = itertools.count()
    deliveries = Deliveries(editor, lambda task: None, lambda problem: None)

    def bare() -> None:
        node = document.createNode("bare", "paintlayer")
        node.setPixelData(QtCore.QByteArray(data), 0, 0, side, side)
        document.rootNode().addChildNode(node, None)

    def ours() -> None:
        # A job of its own each time: no job brings the same result twice.
        task = Task(record_of(f"job {next(jobs)}", where, PAINTED, 1, [], False))
        deliveries.deliver(task, Result((layer,), picture))

    ticks = Ticks()
    calls: dict[str, list[float]] = {"bare": [], "ours": []}
    stalls: dict[str, list[float]] = {"bare": [], "ours": []}
    ways: tuple[tuple[str, Callable[[], None]], ...] = (("bare", bare), ("ours", ours))
    for repeat in range(repeats + 1):
        for name, way in ways if repeat % 2 else reversed(ways):
            layers = len(document.rootNode().childNodes())
            ticks.restart()
            yield _TURN
            began = time.perf_counter()
            way()
            took = time.perf_counter() - began
            assert len(document.rootNode().childNodes()) == layers + 1
            yield from _rest(document)
            ticks.stop()
            if repeat:  # The first round warms up.
                calls[name].append(1000 * took)
                stalls[name].append(1000 * ticks.longest)
            document.rootNode().childNodes()[-1].remove()
            yield from _rest(document)
    document.setModified(False)
    document.close()
    yield {"calls": calls, "stalls": stalls}


def _rest(document: Any) -> Iterator[float]:
    """Until Krita has drawn everything."""
    for _turn in range(3):
        yield _TURN
        while busy(document):
            yield _TURN
