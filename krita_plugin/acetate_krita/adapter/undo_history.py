"""Where a document stands in its undo history, read off Krita's own history docker.

Krita gives scripts no undo stack, but the docker's list is a view of one: of the document that the
painter is in, whether the docker is open or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from acetate_krita.qt import QtWidgets

_DOCKER = "History"
_MOST_STEPS = 200


@dataclass(frozen=True)
class Position:
    """How many steps have been done, and the words of all that could be undone or redone."""

    index: int
    steps: tuple[str, ...]


class History:
    """The undo history of the document in the active window."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def position(self) -> Position | None:
        """Where the active document stands; None when Krita does not say."""
        window = self._application.activeWindow()
        frame = window.qwindow() if window is not None else None
        docker = frame.findChild(QtWidgets.QDockWidget, _DOCKER) if frame is not None else None
        lists = docker.findChildren(QtWidgets.QListView) if docker is not None else []
        if not lists or lists[0].model() is None:
            return None
        model = lists[0].model()
        words = [str(model.data(model.index(row, 0))) for row in range(1, model.rowCount())]
        return Position(max(0, lists[0].currentIndex().row()), tuple(words))

    def most_steps(self) -> int:
        """How many steps Krita keeps; from then on it forgets the first at each new one."""
        said = self._application.readSetting("", "undoStackLimit", str(_MOST_STEPS))
        return int(said) if str(said).isdigit() and int(said) > 0 else _MOST_STEPS
