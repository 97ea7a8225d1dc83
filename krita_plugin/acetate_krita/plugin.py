"""What all windows of Krita share: one editor, one controller, and the panels that show it."""

from __future__ import annotations

import logging
import time
from typing import Any

import krita
from acetate_bridge.panel.controller import Controller
from acetate_bridge.panel.settings import settings_file
from acetate_bridge.panel.view import PanelView
from acetate_krita.adapter.editor import KritaEditor
from acetate_krita.canvas_preview import CanvasPreview
from acetate_krita.qt import Qt, QtCore, QtGui, QtWidgets
from acetate_krita.widgets.panel import Panel

log = logging.getLogger("acetate.krita")

_LOOK_EVERY = 400
_GOING_SECONDS = 2.0
_NOT_SEEN = object()


class Studio(QtCore.QObject):
    """Made once, when Krita loads the plug-in; connects as soon as a panel is seen or used."""

    def __init__(self) -> None:
        super().__init__()
        self._krita = krita.Krita.instance()
        self.editor = KritaEditor()
        self.controller = Controller(self.editor, settings_file(), self._draw)
        self.controller.open_address = lambda address: QtGui.QDesktopServices.openUrl(
            QtCore.QUrl(address)
        )
        self.editor.is_leaving = self._window_is_going
        self.canvas = CanvasPreview(self._krita, self.editor.known, self.controller.preview_holds)
        self._panels: list[Panel] = []
        self._started = False
        self._seen: object = _NOT_SEEN
        self._hidden = 0
        self._going_until = 0.0
        self._clock = QtCore.QTimer(self)
        self._clock.setInterval(_LOOK_EVERY)
        self._clock.timeout.connect(self._look)
        notifier = self._krita.notifier()
        notifier.setActive(True)
        notifier.applicationClosing.connect(self.close)
        notifier.imageClosed.connect(lambda *_: self._refresh_soon())
        QtWidgets.QApplication.instance().aboutToQuit.connect(self.close)

    def icon(self, name: str) -> Any:
        """One of Krita's own icons, in the colours of its theme."""
        return self._krita.icon(name)

    def add(self, panel: Panel) -> None:
        """Draw on this panel, too, until its window closes."""
        self._panels.append(panel)
        panel.destroyed.connect(lambda *_: self._forget(panel))
        panel.draw(self.controller.view)

    def start(self) -> None:
        """Connect, at the first call."""
        if not self._started:
            self._started = True
            self.controller.start()
            self._clock.start()

    def close(self) -> None:
        """Leave no thread behind."""
        self._clock.stop()
        self.canvas.close()
        self.editor.strokes.close()
        self.editor.undo_chains.close()
        self._panels.clear()
        self.controller.stop()

    def turn(self) -> None:
        """The painter is turning to another view: Krita is still in the middle of that."""
        self.refresh()
        self.editor.call_soon(self._turned)

    def _turned(self) -> None:
        # No refresh from here: it turns Krita's loop, which would delete a document that a script
        # closes before its view.
        if self._started and not self._window_is_going():
            self.editor.view_turns.turned()

    def refresh(self) -> None:
        """Look at the document that the painter is in now."""
        if not self._started:
            return
        if self._window_is_going():
            self.editor.call_later(_GOING_SECONDS, self.refresh)
            return
        self.controller.refresh()
        # Krita tells while it turns from one view to the next, when there may be none: look again.
        self._seen = _NOT_SEEN

    def _draw(self, view: PanelView) -> None:
        for panel in self._panels:
            panel.draw(view)
        # Views come while the rest is still being made, and when all is closed.
        if self._started:
            self.canvas.show_view(view.in_place)

    def _forget(self, panel: Panel) -> None:
        self._panels = [each for each in self._panels if each is not panel]

    def _refresh_soon(self) -> None:
        self.editor.call_soon(self.refresh)

    def _look(self) -> None:
        """Krita tells of no new selection or active layer and of no undo: look whether one was."""
        application = QtWidgets.QApplication
        if application.mouseButtons() != Qt.MouseButton.NoButton:
            return
        if not any(panel.isVisible() for panel in self._panels):
            return
        if self._window_is_going():
            return
        try:
            seen = self._situation()
        except Exception:
            log.exception("Krita could not be looked at")
            return
        if seen != self._seen:
            self._seen = seen
            self.controller.refresh()

    def _window_is_going(self) -> bool:
        """Whether a window was closed a moment ago.

        To ask for the active layer turns Krita's loop, which would delete it in the middle of
        that. A window that stays hidden is kept by Krita for the next one and harms nothing.
        """
        widgets = QtWidgets.QApplication.topLevelWidgets()
        frames = (each for each in widgets if each.inherits("KisMainWindow"))
        hidden = sum(not each.isVisible() for each in frames)
        now = time.monotonic()
        if hidden > self._hidden:
            self._going_until = now + _GOING_SECONDS
        self._hidden = hidden
        return now < self._going_until

    def _situation(self) -> object:
        document = self.editor.active_document()
        if document is None:
            return None
        selection = self.editor.selection_bounds(document.key)
        # An undo takes results out and brings them back while the active layer stays as it is.
        standing = self.editor.standing(document.key)
        return document, self.editor.active_layer(document.key), selection, standing
