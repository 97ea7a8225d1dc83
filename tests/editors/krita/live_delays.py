"""Inside Krita: how soon a stroke is followed by its preview, and how long Krita stands still."""

from __future__ import annotations

import time
from typing import Any

from acetate_krita.qt import QtCore, QtWidgets
from tests.editors.krita.inside import canvas
from tests.editors.krita.live_checks import studio
from tests.editors.krita.stalls import Ticks


class Delay(Ticks):
    """From the end of a stroke to its preview; `longest` is the longest stall since `restart`."""

    def __init__(self) -> None:
        super().__init__()
        self._released, self._before = 0.0, ""
        self.seconds = 0.0
        # Looked for once: to go through all of Krita's widgets takes longer than a tick.
        self._canvas = studio().canvas
        QtWidgets.QApplication.instance().installEventFilter(self)

    def restart(self) -> None:
        """From now on; a preview that is seen already does not count."""
        self._released, self._before, self.seconds = 0.0, self._shown(), 0.0
        super().restart()

    def eventFilter(self, a0: Any, a1: Any) -> bool:  # noqa: N802 (Qt's names)
        """Hear the end of a stroke, and let it through."""
        if a1.type() == QtCore.QEvent.Type.MouseButtonRelease and a0 is canvas():
            self._released = time.perf_counter()
        return False

    def _tick(self) -> None:
        super()._tick()
        if self._released and not self.seconds and self._shown() not in ("", self._before):
            self.seconds = time.perf_counter() - self._released

    def _shown(self) -> str:
        """The job whose preview is seen; empty without one."""
        overlay = self._canvas.overlay
        return overlay.shown.job if overlay is not None and overlay.shown is not None else ""
