"""Acetate's actions: in Tools ▸ Scripts ▸ Acetate, and under whatever keys the painter gives them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import krita

from .docker import DOCKER
from .qt import QtWidgets
from .studio import Studio

MENU = "acetate_menu"


class AcetateExtension(krita.Extension):
    """Krita asks it for actions for each window."""

    def __init__(self, parent: Any, studio: Studio) -> None:
        super().__init__(parent)
        self._studio = studio

    def setup(self) -> None:
        """Nothing to do before there is a window."""

    def createActions(self, window: Any) -> None:  # noqa: N802 (Krita's name)
        menu_action = window.createAction(MENU, "Acetate", "tools/scripts")
        menu_action.setMenu(QtWidgets.QMenu(MENU, window.qwindow()))
        for name, words, act in self._actions():
            action = window.createAction(name, words, f"tools/scripts/{MENU}")
            action.triggered.connect(functools.partial(self._do, window, act))
        self._studio.watch(window)

    def _actions(self) -> list[tuple[str, str, Callable[[], None]]]:
        """Names as in acetate_krita.action, menu words, and what they do."""
        control = self._studio.controller
        generate = functools.partial
        return [
            ("acetate_text", "Generate Layer", generate(control.generate, "text")),
            (
                "acetate_background",
                "Fill Background Around Layer",
                generate(control.generate, "background"),
            ),
            ("acetate_foreground", "Add Object Here", generate(control.generate, "foreground")),
            ("acetate_joint", "Scene in Layers", generate(control.generate, "joint")),
            ("acetate_refine", "Repaint Layer", control.repaint),
            ("acetate_regenerate", "Paint Layer Anew", control.regenerate),
            ("acetate_cancel", "Cancel Generating", control.cancel),
        ]

    def _do(self, window: Any, act: Callable[[], None], *_: object) -> None:
        """Open the docker, which says what comes of it, and act."""
        for docker in window.dockers():
            if docker.objectName() == DOCKER:
                docker.setVisible(True)
        self._studio.start()
        act()
