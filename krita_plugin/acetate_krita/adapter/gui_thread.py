"""Krita's own loop: doing things on its thread, at once or later."""

from __future__ import annotations

import logging
from collections.abc import Callable

from acetate_krita.qt import Qt, QtCore

log = logging.getLogger("acetate.krita")


class GuiThread(QtCore.QObject):
    """Runs actions on the thread that it was made on, which is the GUI's."""

    _asked = QtCore.pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self._asked.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def soon(self, action: Callable[[], None]) -> None:
        """Run an action as soon as the loop turns; from any thread."""
        try:
            self._asked.emit(action)
        except RuntimeError:
            log.debug("Krita has quit")

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Run an action after a while."""
        QtCore.QTimer.singleShot(round(seconds * 1000), lambda: self._run(action))

    def _run(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception:
            log.exception("an action failed")
