"""What a test asks inside Krita: where things are on the screen, and what is in the document."""

from __future__ import annotations

import threading
from typing import Any

from acetate_krita.qt import QtCore, QtGui, QtWidgets
from acetate_krita.widgets.panel import Panel
from krita import Krita, Selection

SRGB = "sRGB-elle-V2-srgbtrc.icc"


def show_docker() -> None:
    """As Settings ▸ Dockers does; wide enough for a painter who has little room."""
    for docker in Krita.instance().activeWindow().dockers():
        if docker.objectName() == "acetate_docker":
            docker.setVisible(True)
            docker.raise_()
        elif docker.objectName() not in ("KisLayerBox", "ToolBox"):
            docker.setVisible(False)


def narrow_docker(width: int) -> bool:
    """Let the column of dockers have this width, and Acetate most of its height.

    Says whether it has the width already: Krita's loop has to turn before that.
    """
    main = Krita.instance().activeWindow().qwindow()
    names = ("KisLayerBox", "acetate_docker")
    layers, docker = (main.findChild(QtWidgets.QDockWidget, name) for name in names)
    main.resizeDocks([docker], [width], QtCore.Qt.Orientation.Horizontal)
    main.resizeDocks([layers, docker], [200, 600], QtCore.Qt.Orientation.Vertical)
    return docker.width() <= width + 10


def settled() -> bool:
    """Whether Krita has nothing more to draw for the moment."""
    document = Krita.instance().activeDocument()
    return document is not None and not busy(document)


def busy(document: Any) -> bool:
    """Whether a stroke is open, or something is still being drawn."""
    if not document.tryBarrierLock():
        return True
    document.unlock()
    return False


def panel() -> Panel | None:
    """The panel that is seen."""
    main = Krita.instance().activeWindow().qwindow()
    found = [each for each in main.findChildren(QtWidgets.QWidget) if isinstance(each, Panel)]
    return found[0] if found else None


def pointer() -> list[int]:
    """Where the mouse is on the screen."""
    point = QtGui.QCursor.pos()
    return [point.x(), point.y()]


def close_documents() -> None:
    """Close all of them, without being asked whether to save."""
    for document in Krita.instance().documents():
        document.setSelection(None)
        document.waitForDone()
        document.setModified(False)
        document.close()


def box(name: str) -> list[int]:
    """Where a layer of the active document lies: x, y, width, height."""
    found = node(name).bounds()
    return [found.x(), found.y(), found.width(), found.height()]


def mask_box(name: str) -> list[int]:
    """Where the mask of a layer of the active document lets it be seen: x, y, width, height."""
    found = node(name).childNodes()[0].selection()
    return [found.x(), found.y(), found.width(), found.height()]


def select(x: int, y: int, width: int, height: int, feather: int) -> None:
    """Select a rectangle with soft edges in the active document."""
    chosen = Selection()
    chosen.select(x, y, width, height, 255)
    chosen.feather(feather)
    Krita.instance().activeDocument().setSelection(chosen)


def picture_of(name: str) -> int:
    """Tells the pixels of two layers of the active document apart."""
    document = Krita.instance().activeDocument()
    return hash(bytes(node(name).pixelData(0, 0, document.width(), document.height())))


def shows_picture(label: Any) -> bool:
    """Whether a label has a picture on it."""
    pixmap = label.pixmap()
    return pixmap is not None and not pixmap.isNull()


def view() -> dict[str, Any]:
    """What the panel shows."""
    found = panel()._view
    return {
        "status": found.status.sentence,
        "severity": found.status.severity,
        "button": found.status.button.label if found.status.button else "",
        "running": found.running,
        "can_generate": found.can_generate,
        "why_not": found.why_not,
        "sentence": found.sentence,
        "share": found.progress.share if found.progress else None,
        "words": found.progress.words if found.progress else "",
        "preview": found.preview is not None and shows_picture(panel().preview),
        "results": [each.shown for each in found.results],
        "history": len(found.history),
        "prompt": found.prompt,
        "offer": found.offer.sentence if found.offer else "",
    }


class Presses(QtCore.QObject):
    """Counts how often the mouse was pressed on a widget or a part of it."""

    def __init__(self, widget: QtWidgets.QWidget) -> None:
        super().__init__()
        self.count = 0
        for each in (widget, *widget.findChildren(QtWidgets.QWidget)):
            each.installEventFilter(self)

    def eventFilter(self, a0: Any, a1: Any) -> bool:  # noqa: N802 (Qt's names)
        """Hear a press, and let it through."""
        if a1.type() == QtCore.QEvent.Type.MouseButtonPress:
            self.count += 1
        return False


def reachable(widget: QtWidgets.QWidget) -> bool:
    """Whether a click on the middle of a widget would meet it, or a part of it."""
    met = QtWidgets.QApplication.widgetAt(*place(widget))
    return met is not None and (met is widget or widget.isAncestorOf(met))


def met_at(widget: QtWidgets.QWidget) -> dict[str, Any]:
    """What a click on the middle of a widget would meet, where the mouse is, and what holds it."""
    application: Any = QtWidgets.QApplication
    return {
        "place": place(widget),
        "pointer": pointer(),
        "met": str(application.widgetAt(*place(widget))),
        "popup": str(application.activePopupWidget()),
        "modal": str(application.activeModalWidget()),
        "grabber": str(QtWidgets.QWidget.mouseGrabber()),
    }


def place(widget: QtWidgets.QWidget) -> tuple[int, int]:
    """The middle of a widget on the screen."""
    point = widget.mapToGlobal(widget.rect().center())
    return point.x(), point.y()


def new_document(width: int, height: int, window: Any = None) -> Any:
    """A document with a white sheet, in this window or the active one."""
    krita = Krita.instance()
    document = krita.createDocument(width, height, "Story", "RGBA", "U8", SRGB, 72.0)
    (window or krita.activeWindow()).addView(document)
    return document


def canvas() -> QtWidgets.QWidget:
    """The widget that is painted on; that of another view lies behind it, and counts as visible."""
    main = Krita.instance().activeWindow().qwindow()
    inner = main.centralWidget().findChild(QtWidgets.QMdiArea).activeSubWindow()
    found = [
        each
        for each in inner.findChildren(QtWidgets.QWidget)
        if each.metaObject().className() in ("KisOpenGLCanvas2", "KisQPainterCanvas")
    ]
    return next(each for each in found if each.isVisible())


def takes_keys() -> bool:
    """Whether keys go to the canvas of the active window; if not, they soon will."""
    found = canvas()
    found.setFocus()
    if not found.window().isActiveWindow():
        found.window().activateWindow()
        return False
    return True


def names() -> list[str]:
    """The layers of the active document, from the top downwards; those in groups indented."""
    found: list[str] = []

    def look(node: Any, level: int) -> None:
        for child in reversed(node.childNodes()):
            if child.type() != "selectionmask":
                found.append("  " * level + child.name())
                look(child, level + 1)

    document = Krita.instance().activeDocument()
    if document is not None:
        look(document.rootNode(), 0)
    return found


def node(name: str) -> Any:
    """A layer of the active document."""
    return Krita.instance().activeDocument().nodeByName(name)


def painted_columns(name: str) -> list[int]:
    """How many dark pixels each column of a layer holds."""
    document = Krita.instance().activeDocument()
    wide, high = document.width(), document.height()
    data = bytes(node(name).pixelData(0, 0, wide, high))
    blue = data[0::4]
    return [sum(value < 128 for value in blue[column::wide]) for column in range(wide)]


def threads() -> list[str]:
    """The names of Python's threads."""
    return [each.name for each in threading.enumerate()]
