"""Asked inside Krita: what lies over the canvas, where, and what it leaves in the document."""

from __future__ import annotations

from typing import Any

from acetate_krita.adapter.canvas import canvas_of, pixels_to_canvas
from acetate_krita.qt import QtCore, QtWidgets
from krita import Krita
from tests.editors.krita import zoo
from tests.editors.krita.inside import canvas, panel

_SAMPLE_EVERY = 10


def studio() -> Any:
    """What all windows share."""
    return panel()._studio


def overlay() -> Any:
    """What lies over the canvas and is seen; None without it."""
    found = studio().canvas.overlay
    return found if found is not None and found.shown is not None else None


def shown() -> str:
    """The job whose preview is seen; empty without one."""
    return overlay().shown.job if overlay() is not None else ""


def overlays() -> int:
    """How many widgets of ours lie over canvases, seen or not."""
    application: Any = QtWidgets.QApplication
    return len(
        [each for each in application.allWidgets() if each.objectName() == "acetate_overlay"]
    )


def fingerprint() -> str:
    """All of the active document, whether it counts as changed, and its undo history."""
    document = Krita.instance().activeDocument()
    position = studio().editor.undo_chains.position()
    found = zoo.fingerprint(document, frozenset())
    return repr((found, document.modified(), sorted(document.annotationTypes()), position))


def steps() -> list[str]:
    """The words of the undo history."""
    position = studio().editor.undo_chains.position()
    return list(position.steps) if position is not None else []


def open_jobs() -> list[str]:
    """Jobs that were asked for and have not ended."""
    return studio().controller.link.open_jobs


class Most(QtCore.QTimer):
    """How many jobs there were at once, at most, and how many strokes on the canvas have ended."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs = self.strokes = 0
        self.timeout.connect(self._look)
        QtWidgets.QApplication.instance().installEventFilter(self)
        self.start(_SAMPLE_EVERY)

    def eventFilter(self, a0: Any, a1: Any) -> bool:  # noqa: N802 (Qt's names)
        """Count the end of a stroke, and let it through."""
        if a1.type() == QtCore.QEvent.Type.MouseButtonRelease and a0 is canvas():
            self.strokes += 1
        return False

    def _look(self) -> None:
        self.jobs = max(self.jobs, len(open_jobs()))


def turn_canvas(zoom: float, degrees: float, mirrored: bool) -> None:
    """Look at the active document so."""
    canvas = Krita.instance().activeWindow().activeView().canvas()
    canvas.setZoomLevel(zoom)
    canvas.setRotation(degrees)
    canvas.setMirror(mirrored)


def spot(x: float, y: float) -> list[int]:
    """Where a pixel of the document is on the screen, by the overlay's own reckoning."""
    application = Krita.instance()
    found = canvas_of(application, application.activeDocument())
    assert found is not None
    transform = pixels_to_canvas(found[1])
    assert transform is not None
    there = found[0].mapToGlobal(transform.map(QtCore.QPointF(x, y)).toPoint())
    return [there.x(), there.y()]


def colour_at(x: int, y: int) -> list[int]:
    """What is seen there on the screen."""
    screen = QtWidgets.QApplication.primaryScreen()
    colour = screen.grabWindow(0, x, y, 1, 1).toImage().pixelColor(0, 0)
    return [colour.red(), colour.green(), colour.blue()]


def block(x: int, y: int, side: int) -> None:
    """A black square on the lowest layer."""
    document = Krita.instance().activeDocument()
    data = QtCore.QByteArray(bytes((0, 0, 0, 255)) * (side * side))
    document.rootNode().childNodes()[0].setPixelData(data, x, y, side, side)
    document.refreshProjection()
