"""Inside Krita: a document with frames, and what stands on its timeline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from acetate_krita.qt import QtCore
from krita import Krita
from tests.editors.krita.inside import busy, new_document

FRAMES = {0: (0, 0, 255, 255), 5: (0, 255, 0, 255), 9: (255, 0, 0, 255)}
"""When the sheet changes, and its colour (BGRA) from then on."""
LAST = 20
_TURN = 0.05


def animated_document(width: int, height: int) -> Iterator[float]:
    """A document whose only sheet changes its colour; ends on frame 5. Yields seconds to wait."""
    document = new_document(width, height)
    yield from quiet(document)
    document.setFullClipRangeStartTime(0)
    document.setFullClipRangeEndTime(LAST)
    sheet = document.rootNode().childNodes()[0]
    sheet.enableAnimation()
    document.setActiveNode(sheet)
    for time, colour in FRAMES.items():
        yield from go_to(document, time)
        while not sheet.hasKeyframeAtTime(time):
            Krita.instance().action("add_blank_frame").trigger()
            yield from quiet(document)
        pixels = QtCore.QByteArray(bytes(colour) * (width * height))
        sheet.setPixelData(pixels, 0, 0, width, height)
        document.refreshProjection()
        yield from quiet(document)
    yield from go_to(document, 5)


def go_to(document: Any, time: int) -> Iterator[float]:
    """Turn to a frame."""
    document.setCurrentTime(time)
    yield from quiet(document)
    while document.currentTime() != time:
        yield _TURN


def quiet(document: Any) -> Iterator[float]:
    """Krita switches frames and adds them in strokes, one after the other."""
    for _turn in range(3):
        yield _TURN
        while busy(document):
            yield _TURN


def timeline(document: Any) -> list[Any]:
    """Length, range, current frame, and the keyframes of every layer."""
    frames = range(document.fullClipRangeEndTime() + 1)
    keys = {
        each.name(): [time for time in frames if each.hasKeyframeAtTime(time)]
        for each in document.rootNode().childNodes()
    }
    where = [document.animationLength(), document.currentTime(), document.framesPerSecond()]
    return [*where, keys]


def sheet_on_every_frame(document: Any, name: str) -> Iterator[Any]:
    """The middle pixel of a layer on each frame of `FRAMES`, as the last that is yielded."""
    found: dict[str, list[int]] = {}
    node = document.nodeByName(name)
    here = document.currentTime()
    for time in (*FRAMES, LAST, here):
        yield from go_to(document, time)
        pixel = node.pixelData(document.width() // 2, document.height() // 2, 1, 1)
        found[str(time)] = list(bytes(pixel))
    yield found
