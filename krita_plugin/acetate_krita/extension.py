"""Acetate's actions: in Tools ▸ Scripts ▸ Acetate, and under the keys that the painter chooses."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

import krita
from acetate_bridge.language.spoken import say
from acetate_bridge.protocol.modes import MODES
from acetate_krita.docker import DOCKER
from acetate_krita.plugin import Studio
from acetate_krita.qt import QtWidgets

log = logging.getLogger("acetate.krita")

MENU = "acetate_menu"


class AcetateExtension(krita.Extension):
    """Krita asks it for actions for each window."""

    def __init__(self, parent: Any, studio: Studio) -> None:
        super().__init__(parent)
        self._studio = studio
        # Each window has an undo of its own, and Krita shows only that of the active one.
        application = QtWidgets.QApplication.instance()
        application.focusWindowChanged.connect(self._watch_undo_soon)

    def setup(self) -> None:
        """Nothing to do before there is a window."""

    def createActions(self, window: Any) -> None:  # noqa: N802 (Krita's name)
        try:
            self._create_actions(window)
        except Exception:
            # Krita would stop its start with a window about it.
            log.exception("the actions could not be made")

    def _create_actions(self, window: Any) -> None:
        # Krita's own `window` is gone after this call; Qt's stays.
        frame = window.qwindow()
        menu_action = window.createAction(MENU, "Acetate", "tools/scripts")
        menu_action.setMenu(QtWidgets.QMenu(MENU, frame))
        for name, words, act in self._actions():
            action = window.createAction(name, words, f"tools/scripts/{MENU}")
            action.triggered.connect(functools.partial(self._do, frame, act))
        self._watch_undo_soon()

    def _actions(self) -> list[tuple[str, str, Callable[[], None]]]:
        """Names as in acetate_krita.action, menu words, and what they do."""
        control = self._studio.controller
        return [
            *(
                (f"acetate_{mode}", say(MODES[mode].title), functools.partial(self._generate, mode))
                for mode in (
                    "text",
                    "background",
                    "foreground",
                    "joint",
                    "refine",
                    "fill",
                    "upscale",
                    "defringe",
                    "cutout",
                )
            ),
            ("acetate_regenerate", say("Paint Layer Anew"), control.regenerate),
            ("acetate_cancel", say("Cancel Generating"), control.cancel),
        ]

    def _watch_undo_soon(self, *_: object) -> None:
        self._studio.editor.call_later(0.0, self._watch_undo)

    def _watch_undo(self) -> None:
        """A window that has just been opened, or turned to, is the active one by now."""
        for name in ("edit_undo", "edit_redo"):
            action = krita.Krita.instance().action(name)
            if action is not None:
                self._studio.editor.undo_chains.watch(action)

    def _generate(self, mode: str) -> None:
        """Turn the panel to this mode, so that its own prompt is seen, and paint."""
        control = self._studio.controller
        control.set_mode(mode)
        control.generate()

    def _do(self, frame: Any, act: Callable[[], None], *_: object) -> None:
        """Open the docker, which says what comes of it, and act."""
        docker = frame.findChild(QtWidgets.QDockWidget, DOCKER)
        if docker is not None:
            docker.setVisible(True)
            docker.raise_()
        self._studio.start()
        act()
        if docker is not None and not self._studio.controller.view.running:
            docker.widget().ask_for_prompt()
