"""The docker: Krita's frame around the panel, one in each window."""

from __future__ import annotations

from typing import Any

import krita
from acetate_krita.plugin import Studio
from acetate_krita.qt import QtCore, QtGui
from acetate_krita.widgets.panel import Panel

DOCKER = "acetate_docker"
TITLE = "Acetate"


def factory(studio: Studio) -> Any:
    """What makes Krita offer the docker under Settings ▸ Dockers."""

    class Docker(krita.DockWidget):
        """Made by Krita for each window."""

        def __init__(self) -> None:
            super().__init__()
            self.setWindowTitle(TITLE)
            self.setWidget(_Shown(studio))

        def canvasChanged(self, canvas: object) -> None:  # noqa: N802 (Krita's name)
            studio.turn()

    base = krita.DockWidgetFactoryBase
    right = getattr(base, "DockPosition", base).DockRight
    return krita.DockWidgetFactory(DOCKER, right, Docker)


class _Shown(Panel):
    """Connects when it is seen for the first time, so that an unused plug-in costs nothing."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.controller, studio.icon)
        self._studio = studio
        studio.add(self)

    def showEvent(self, event: QtGui.QShowEvent) -> None:  # noqa: N802 (Qt's name)
        super().showEvent(event)
        # Not from here: a docker is shown while Krita is still building its window.
        QtCore.QTimer.singleShot(0, self._studio.start)
