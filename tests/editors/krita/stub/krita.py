"""Stands in for Krita's module where there is no Krita: as much as the docker asks of it."""

from __future__ import annotations

from typing import Any

from acetate_krita.qt import QAction, QtCore, QtGui, QtWidgets


class Selection:
    """Never selected here."""


class Extension(QtCore.QObject):
    """Krita's base for actions."""


class DockWidget(QtWidgets.QDockWidget):
    """Krita's base for dockers."""


class DockWidgetFactoryBase:
    DockRight = 2


class DockWidgetFactory:
    """Makes a docker for each window."""

    def __init__(self, name: str, position: int, make: Any) -> None:
        self.name, self.position, self.make = name, position, make


class Notifier(QtCore.QObject):
    applicationClosing = QtCore.pyqtSignal()  # noqa: N815 (Krita's name)
    imageClosed = QtCore.pyqtSignal(str)  # noqa: N815 (Krita's name)

    def setActive(self, active: bool) -> None:  # noqa: N802 (Krita's name)
        self.active = active


class Window:
    """A main window with its actions."""

    def __init__(self) -> None:
        self.frame = QtWidgets.QMainWindow()
        self.actions: dict[str, QAction] = {}

    def qwindow(self) -> QtWidgets.QMainWindow:
        return self.frame

    def createAction(self, name: str, words: str, place: str) -> QAction:  # noqa: N802
        self.actions[name] = QAction(words, self.frame)
        return self.actions[name]


class Krita(QtCore.QObject):
    """The application, without a document."""

    _only: Krita | None = None

    def __init__(self) -> None:
        super().__init__()
        self.extensions: list[Any] = []
        self.factories: list[DockWidgetFactory] = []
        self._notifier = Notifier()
        self._actions: dict[str, QAction] = {}

    @classmethod
    def instance(cls) -> Krita:
        if cls._only is None:
            cls._only = cls()
        return cls._only

    def version(self) -> str:
        return "6.0.0"

    def notifier(self) -> Notifier:
        return self._notifier

    def icon(self, name: str) -> QtGui.QIcon:
        return QtGui.QIcon()

    def action(self, name: str) -> QAction:
        return self._actions.setdefault(name, QAction(self))

    def documents(self) -> list[Any]:
        return []

    def activeDocument(self) -> None:  # noqa: N802 (Krita's name)
        return None

    def addExtension(self, extension: Any) -> None:  # noqa: N802 (Krita's name)
        self.extensions.append(extension)

    def addDockWidgetFactory(self, factory: DockWidgetFactory) -> None:  # noqa: N802
        self.factories.append(factory)
