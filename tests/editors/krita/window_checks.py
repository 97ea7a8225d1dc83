"""Windows of Krita that come and go with their dockers, in either Qt, without Krita."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

from acetate_bridge.panel.view import PanelView, Status, Thumbnail
from acetate_bridge.protocol.types import Image
from acetate_krita.qt import Qt, QtWidgets
from tests.editors.krita.qt_hands import turn

_PICTURE = Thumbnail(Image(1, 1, bytes(4)), "old")
_VIEWS = (
    PanelView(prompt="a lantern", results=(_PICTURE,), history=(_PICTURE,)),
    PanelView(prompt="a boat", status=Status("Painting.", "working"), running=True),
)


def check_windows_come_and_go_whatever_python_collects_meanwhile() -> None:
    os.environ["ACETATE_CONFIG_DIR"] = tempfile.mkdtemp()
    stub = str(Path(__file__).parent / "stub")
    if stub not in sys.path:
        sys.path.insert(0, stub)
    from acetate_krita.docker import factory
    from acetate_krita.plugin import Studio

    studio = Studio()
    make, often = factory(studio).make, gc.get_threshold()
    panels: list[weakref.ref[Any]] = []
    gc.set_threshold(20, 1, 1)
    gc.enable()
    try:
        for number in range(6):
            panels.append(_open_and_close(make, number))
            assert studio._panels == [], "a closed window is drawn on no more"
    finally:
        gc.disable()
        gc.set_threshold(*often)
        studio.close()
    gc.collect()
    # Qt 5 lets go of what the last one had connected when the next one comes.
    assert [each() for each in panels[:-1]] == [None] * 5, "nothing holds what Krita has deleted"


def _open_and_close(make: Any, number: int) -> weakref.ref[Any]:
    """A window with its docker, drawn and closed; Qt deletes both."""
    frame = QtWidgets.QMainWindow()
    frame.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    docker = make()
    frame.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, docker)
    # Not seen, so that it does not connect.
    for view in _VIEWS:
        docker.widget().draw(replace(view, sentence=f"Paints {number}."))
    frame.show()
    docker.hide()
    turn()
    found = weakref.ref(docker.widget())
    frame.close()
    turn()
    return found
