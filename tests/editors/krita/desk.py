"""Krita with a document and the open docker, and what a painter's hands do there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.app.server_process import LONG
from tests.editors.krita.session import KritaSession
from tests.editors.patience import NotInTime
from tests.editors.screen import ROOT

PICTURES = ROOT / "artifacts" / "editors"


class Desk:
    """Acts with mouse and keyboard, and asks inside what came of it."""

    def __init__(self, krita: KritaSession, width: int = 640, height: int = 480) -> None:
        self.krita, self.screen = krita, krita.screen
        krita.run("from tests.editors.krita.inside import *")
        krita.run(f"document = new_document({width}, {height})")
        self.window = self._frame()
        for place in (
            ["windowsize", "--sync", self.window, "1270", "820"],
            ["windowmove", self.window, "5", "28"],
        ):
            self.screen.do("xdotool", *place, check=False)
        krita.run("show_docker()")
        self.wait(lambda: self.ask("panel() is not None and panel().isVisible()"))
        # Krita lays its dockers out once more when a view has opened.
        self.wait(lambda: self.ask("narrow_docker(250)"))
        krita.run("Krita.instance().action('zoom_to_fit').trigger()")
        self.wait(lambda: self.ask("settled()"))

    def _frame(self) -> str:
        """Krita's main window, which keeps its title to itself."""
        search = ("xdotool", "search", "--onlyvisible", "--class", "krita")
        while not (found := self.screen.do(*search, check=False).split()):
            time.sleep(0.1)
        return found[-1]

    def ask(self, expression: str) -> Any:
        return self.krita.run(f"answer = {expression}")

    def view(self) -> dict[str, Any]:
        return self.ask("view()")

    def names(self) -> list[str]:
        return self.ask("names()")

    def wait(self, true: Callable[[], Any]) -> Any:
        """Wait for something to come about."""
        until = time.monotonic() + LONG
        while not (found := true()):
            if time.monotonic() > until:
                self.picture("gave-up")
                raise NotInTime(f"it never came about; {self.view()}, {self.names()}")
            time.sleep(0.1)
        return found

    def fresh(self, width: int = 640, height: int = 480) -> None:
        """A document with a white sheet, and no other."""
        self.krita.run(f"close_documents()\ndocument = new_document({width}, {height})")
        self.wait(lambda: self.names() == ["Background"] and self.ask("settled()"))
        self.ready()

    @contextmanager
    def settings_kept(self) -> Iterator[None]:
        """What is set meanwhile is as it was before for who comes next: prompts, fields, folds."""
        self.krita.run(
            "ours = panel()._studio.controller\nkept_settings = ours._preferences.current"
        )
        yield
        self.krita.run("ours._preferences.change(kept_settings)\nours.redraw()")

    def ready(self) -> None:
        self.wait(lambda: self.view()["status"].startswith("Ready"))

    def choose(self, layer: str) -> None:
        """Work on a layer, once what comes after an undo has been done."""
        self.wait(lambda: self.ask("panel()._studio.editor.settled"))
        self.krita.run(f"document.setActiveNode(node({layer!r}))")
        self.wait(lambda: self.ask("document.activeNode().name()") == layer)

    def click(self, widget: str) -> None:
        """Click on a widget; again where it is by then, when it has moved away meanwhile.

        Krita lays its dockers out anew at moments of its own. What is pressed comes late where it
        is busy: a second click on what has not moved would be one too many.
        """
        self.krita.run(f"presses = Presses({widget})")
        for _ in range(3):
            self.wait(lambda: self.ask(f"reachable({widget})"))
            x, y = self.ask(f"place({widget})")
            self.screen.do("xdotool", "mousemove", str(x), str(y), "click", "1")
            if self.soon(lambda: self.ask("presses.count")):
                return
            unmoved = self.ask(f"place({widget})") == [x, y]
            if unmoved and self.soon(lambda: self.ask("presses.count"), 45):
                return
        self.picture("not-pressed")
        met = self.ask(f"met_at({widget})")
        raise NotInTime(f"{widget} was never met by a click; {met}")

    def soon(self, true: Callable[[], Any], seconds: float = 5) -> bool:
        """Whether it comes about within a few seconds, in which Krita's loop turns many times."""
        until, turns = time.monotonic() + seconds, 0
        while turns < 20 or time.monotonic() < until:
            if true():
                return True
            time.sleep(0.05)
            turns += 1
        return False

    def write(self, prompt: str) -> None:
        """Replace the prompt by typing; once more where keys went elsewhere, as people do."""
        for _ in range(3):
            self.click("panel().prompts.text")
            self.screen.key("ctrl+a")
            self.screen.type(prompt)
            if self.soon(lambda: self.view()["prompt"] == prompt):
                return
        self.picture("not-written")
        raise NotInTime(f"{prompt!r} never stood there; {self.view()}")

    def generate(self) -> None:
        self.wait(lambda: self.view()["can_generate"])
        self.click("panel().prompts.text")
        self.screen.key("ctrl+Return")
        self.wait(lambda: self.view()["running"])

    def started(self) -> None:
        """Wait until the job that is on its way has been begun."""
        self.wait(lambda: (self.view()["share"] or 0) > 0)

    def shows(self, words: str, button: str) -> None:
        """Wait until the panel says these words beside this button, both in one look."""
        self.wait(lambda: words in (now := self.view())["status"] and now["button"] == button)

    def on_canvas(self, *keys: str) -> None:
        """Press keys where one paints."""
        x, y = self.ask("place(canvas())")
        self.screen.do("xdotool", "mousemove", str(x), str(y))
        self.wait(lambda: self.ask("takes_keys()"))
        self.screen.key(*keys)

    def press_brush(self) -> tuple[int, int]:
        """Begin a stroke, left of the middle of the canvas; returns where."""
        x, y = self.ask("place(canvas())")
        self.screen.do("xdotool", "mousemove", str(x - 150), str(y + 80))
        self.wait(lambda: self.ask("pointer()") == [x - 150, y + 80])
        self.screen.do("xdotool", "mousedown", "1")
        return x - 150, y + 80

    def undo(self) -> None:
        self._when_drawn("ctrl+z")

    def redo(self) -> None:
        self._when_drawn("ctrl+shift+z")

    def _when_drawn(self, key: str) -> None:
        """Krita may pass over an undo that is asked for while it draws."""
        self.wait(lambda: self.ask("settled()"))
        self.on_canvas(key)

    def picture(self, name: str) -> Path:
        return self.screen.picture(PICTURES / f"krita-{self.krita.suite}-{name}.png")
