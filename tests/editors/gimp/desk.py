"""GIMP with an image and the open panel, and what a painter's hands do there."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.app.server_process import LONG
from tests.editors.gimp.session import PICTURES, Gimp
from tests.editors.patience import NotInTime
from tests.editors.screen import Screen

CANVAS = (640, 480)


class Desk:
    """GIMP with an image and the open panel, and what a painter's hands do there."""

    def __init__(
        self,
        gimp: Gimp,
        screen: Screen,
        canvas: tuple[int, int] = CANVAS,
        says: str = "Ready",
    ) -> None:
        self.gimp, self.screen, self.canvas = gimp, screen, canvas
        gimp.run("from tests.editors.gimp.scripting import *")
        self.new_image()
        self.open_panel()
        self.wait(lambda: self.status().startswith(says))

    def open_panel(self) -> None:
        """By its shortcut."""
        self.in_image("F9")
        self.window = self.screen.wait_for_window("^Acetate$")
        self.wait(lambda: self.panel())

    def close_panel(self) -> None:
        """The way that every window is closed."""
        self.in_panel("alt+F4")
        self.wait(lambda: not self.screen.windows("^Acetate$") and not self.panel())
        self.assert_undisturbed()

    def assert_undisturbed(self) -> None:
        """GIMP has shown no message."""
        assert not self.screen.windows("GIMP (Message|Error|Warning)"), self.screen.titles()

    def new_image(self) -> None:
        """An image with a sheet of paper, in a window."""
        number = self.gimp.run(f"""
image = new_image({self.canvas[0]}, {self.canvas[1]})
paper = add_paper(image)
display = Gimp.Display.new(image)
image.clean_all()
answer = image.get_id()
""")
        self.screen.wait_for_window(rf"Untitled.*-{number}\.0 ")

    def close_image(self) -> None:
        self.gimp.run("display.delete()")

    def status(self) -> str:
        """The sentence at the bottom."""
        return self.panel().get("status", "")

    def wait_for(self, *words: str) -> str:
        """The sentence at the bottom, as soon as it has one of these words in it."""
        return self.wait(lambda: (now := self.status()) and any(w in now for w in words) and now)

    def names(self) -> list[str]:
        """Of the topmost level; asked again where GIMP, busy, tells of none."""
        for _ in range(5):
            if found := self.gimp.run("answer = names(image)"):
                return found
        return []

    def panel(self) -> dict[str, Any]:
        """What it says; nothing while it is closed."""
        for _ in range(5):
            if found := self.gimp.run("answer = panel()"):
                return found
            if not self.screen.windows("^Acetate$"):
                break  # It is closed, and not only too busy to answer.
        return {}

    def shows(self, words: str, button: str) -> str:
        """Wait until the panel says these words beside this button, both in one look."""

        def seen() -> str:
            now = self.panel()
            found = words in now.get("status", "") and now["button"] == button
            return now["status"] if found else ""

        return self.wait(seen)

    def wait(self, true: Callable[[], Any]) -> Any:
        """Wait for something to come about."""
        until = time.monotonic() + LONG
        while not (found := true()):
            if time.monotonic() > until:
                picture = self.screen.picture(PICTURES / "gave-up.png")
                raise NotInTime(f"it never came about; {self.panel()}, see {picture}")
            time.sleep(0.1)
        return found

    def write(self, prompt: str) -> None:
        """Replace the prompt by typing."""
        self.screen.focus(self.window)
        self.screen.key("ctrl+a")
        self.screen.type(prompt)

    def in_panel(self, *keys: str) -> None:
        """Press keys in the panel."""
        self.screen.focus(self.window)
        self.screen.key(*keys)

    def click_settings(self) -> None:
        """The button beside the mode, at the panel's upper right."""
        shape = self.screen.do("xdotool", "getwindowgeometry", "--shell", self.window)
        width = int(dict(line.split("=") for line in shape.splitlines())["WIDTH"])
        self.screen.focus(self.window)
        there = ["--window", self.window, str(width - 24), "24"]
        self.screen.do("xdotool", "mousemove", *there, "click", "1")

    def click_prompt(self) -> None:
        """Put the keyboard there: a button that has it would be pressed by every space typed."""
        self.screen.focus(self.window)
        there = ["--window", self.window, "120", "80"]
        self.screen.do("xdotool", "mousemove", *there, "click", "1")

    def generate(self) -> None:
        """Begin to paint with Ctrl+Enter."""
        before = self.names()
        self.in_panel("ctrl+Return")
        # A quick job may be over before anybody looks.
        self.wait(lambda: self.panel()["running"] or self.names() != before)

    def in_image(self, key: str) -> None:
        """Press a key in the image window."""
        self.screen.focus(self.gimp.window)
        self.screen.key(key)

    def stroke(self) -> None:
        """Paint a diagonal stroke across the canvas with the paintbrush."""
        self.screen.focus(self.gimp.window)
        self.screen.key("p")
        path = [f"mousemove {300 + step * 20} {250 + step * 15} sleep 0.02" for step in range(10)]
        words = f"mousemove 300 250 mousedown 1 {' '.join(path)} mouseup 1"
        self.screen.do("xdotool", *words.split())

    def dark_pixels(self) -> int:
        """How much of the paper the brush has darkened."""
        return self.gimp.run("""
import base64
data = base64.b64decode(pixels(paper))
answer = sum(value < 128 for value in data[0::4])
""")

    def picture(self, name: str) -> None:
        self.screen.picture(PICTURES / f"gimp-{self.gimp.version}-{name}.png")
