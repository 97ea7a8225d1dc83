"""The panel as a painter uses it: keyboard, brush, undo, and a server that dies."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from tests.app.server_process import LONG, RunningServer
from tests.editors.gimp.conftest import assert_quiet
from tests.editors.gimp.session import Gimp
from tests.editors.screen import ROOT, Screen

pytestmark = pytest.mark.slow

PICTURES = ROOT / "artifacts" / "editors"
CANVAS = (640, 480)

# What a plug-in calls to start the server: it cannot from inside a chroot, so it asks the test.
_LAUNCHER = """#!/usr/bin/python3
import socket
socket.create_connection(("127.0.0.1", {port})).close()
"""


class Caller:
    """Starts the server whenever a plug-in asks for it."""

    def __init__(self, server: RunningServer, folder: Path) -> None:
        self.calls = 0
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.command = folder / "start-acetate"
        self.command.write_text(_LAUNCHER.format(port=self._listener.getsockname()[1]))
        self.command.chmod(self.command.stat().st_mode | stat.S_IXUSR)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._listener.accept()[0].close()
                self.calls += 1
                self._server.start()

    def close(self) -> None:
        self._listener.close()


class Desk:
    """GIMP with an image and the open panel, and what a painter's hands do there."""

    def __init__(self, gimp: Gimp, screen: Screen) -> None:
        self.gimp, self.screen = gimp, screen
        gimp.run("from tests.editors.gimp.scripting import *")
        self.new_image()
        self.open_panel()
        self.wait(lambda: self.panel()["status"].startswith("Ready"))

    def open_panel(self) -> None:
        """By its shortcut."""
        self.in_image("F9")
        self.window = self.screen.wait_for_window("^Acetate$")
        self.wait(lambda: self.panel())

    def close_panel(self) -> None:
        """The way that every window is closed."""
        self.screen.focus(self.window)
        self.screen.key("alt+F4")
        self.wait(lambda: not self.screen.windows("^Acetate$") and not self.panel(), 60)

    def new_image(self) -> None:
        """An image with a sheet of paper, in a window."""
        self.gimp.run(f"""
image = new_image({CANVAS[0]}, {CANVAS[1]})
paper = add_paper(image)
display = Gimp.Display.new(image)
image.clean_all()
""")
        time.sleep(1)

    def close_image(self) -> None:
        self.gimp.run("display.delete()")

    def names(self) -> list[str]:
        return self.gimp.run("answer = names(image)")

    def panel(self) -> dict[str, Any]:
        return self.gimp.run("answer = panel()") or {}

    def wait(self, true: Callable[[], Any], seconds: float = LONG) -> Any:
        """Wait for something to come about."""
        until = time.monotonic() + seconds
        while not (found := true()):
            if time.monotonic() > until:
                picture = self.screen.picture(PICTURES / "gave-up.png")
                raise AssertionError(f"it never came about; {self.panel()}, see {picture}")
            time.sleep(0.1)
        return found

    def write(self, prompt: str) -> None:
        """Replace the prompt by typing."""
        self.screen.focus(self.window)
        self.screen.key("ctrl+a")
        self.screen.type(prompt)

    def generate(self) -> None:
        self.screen.focus(self.window)
        self.screen.key("ctrl+Return")
        self.wait(lambda: self.panel()["running"], 30)

    def in_image(self, key: str) -> None:
        """Press a key in the image window."""
        self.screen.focus(self.gimp.window)
        self.screen.key(key)

    def stroke(self) -> None:
        """Paint a diagonal stroke across the canvas with the paintbrush."""
        self.screen.focus(self.gimp.window)
        self.screen.key("p")
        do = self.screen.do
        do("xdotool", "mousemove", "300", "250", "mousedown", "1")
        for step in range(10):
            do("xdotool", "mousemove", str(300 + step * 20), str(250 + step * 15))
        do("xdotool", "mouseup", "1")

    def dark_pixels(self) -> int:
        """How much of the paper the brush has darkened."""
        return self.gimp.run("""
import base64
data = base64.b64decode(pixels(paper))
answer = sum(value < 128 for value in data[0::4])
""")

    def picture(self, name: str) -> None:
        self.screen.picture(PICTURES / f"gimp-{self.gimp.version}-{name}.png")


@pytest.fixture(scope="module")
def caller(server: RunningServer, folder: Path) -> Iterator[Caller]:
    found = Caller(server, folder)
    yield found
    found.close()


@pytest.fixture(scope="module")
def desk(
    suite: str, screen: Screen, folder: Path, reach: dict[str, str], caller: Caller
) -> Iterator[Desk]:
    environment = {**reach, "ACETATE_COMMAND": str(caller.command)}
    environment["ACETATE_CONFIG_DIR"] = str(folder / f"config-{suite}")
    gimp = Gimp(suite, folder / f"panel-{suite}", screen, environment)
    try:
        yield Desk(gimp, screen)
    finally:
        gimp.close()
        assert_quiet(gimp)


def test_a_layer_is_painted_while_the_painter_paints_and_is_one_undo_step(desk: Desk) -> None:
    desk.picture("open")
    desk.write("a red apple")
    assert desk.panel()["plan"].startswith("Paints 640 × 480, the whole canvas")
    desk.generate()
    desk.stroke()
    assert desk.names() == ["Paper"], "the stroke was painted while the layer was"
    desk.wait(lambda: desk.dark_pixels() > 500, 20)
    progress = desk.wait(lambda: desk.panel()["progress"] or not desk.panel()["running"])
    assert progress
    desk.picture("painting")
    desk.wait(lambda: len(desk.names()) == 2)
    assert desk.names() == ["red apple", "Paper"]
    drawn = desk.dark_pixels()
    desk.wait(lambda: desk.panel()["status"].startswith("Ready"))
    desk.picture("done")
    desk.in_image("ctrl+z")
    desk.wait(lambda: desk.names() == ["Paper"], 20)
    assert desk.dark_pixels() == drawn, "the stroke is not undone with it"
    desk.in_image("ctrl+y")
    desk.wait(lambda: desk.names() == ["red apple", "Paper"], 20)


def test_the_background_goes_directly_below_and_the_menu_turns_to_the_open_panel(
    desk: Desk,
) -> None:
    desk.gimp.run("image.set_selected_layers([image.get_layers()[0]])")
    desk.in_image("ctrl+F9")
    desk.wait(lambda: desk.panel()["plan"].startswith("Fills the background"), 30)
    assert len(desk.screen.windows("^Acetate$")) == 1
    desk.write("green hills under a blue sky")
    desk.generate()
    desk.wait(lambda: len(desk.names()) == 3)
    assert desk.names()[0] == "red apple" and desk.names()[2] == "Paper"
    desk.wait(lambda: desk.panel()["status"].startswith("Ready"))
    desk.picture("background")


def test_escape_cancels(desk: Desk) -> None:
    before = desk.names()
    desk.generate()
    desk.screen.key("Escape")
    desk.wait(lambda: desk.panel()["status"] == "Cancelled.")
    assert desk.names() == before and not desk.panel()["running"]


def test_a_server_killed_with_a_job_is_told_started_again_and_the_layer_comes(
    desk: Desk, server: RunningServer, caller: Caller
) -> None:
    before, calls = desk.names(), caller.calls
    desk.generate()
    server.kill()
    told = desk.wait(
        lambda: next((w for w in ("lost", "not running", "starting") if w in _status(desk)), "")
    )
    assert told
    desk.picture("server-gone")
    desk.wait(lambda: len(desk.names()) == len(before) + 1)
    assert caller.calls == calls + 1, "it was started by the plug-in, once"


def test_a_layer_for_a_closed_image_is_offered(desk: Desk) -> None:
    desk.wait(lambda: not desk.panel()["running"])
    desk.generate()
    desk.close_image()
    offer = desk.wait(lambda: desk.panel()["offer"])
    assert "was closed" in offer
    desk.new_image()
    desk.picture("offer")


def test_an_older_protocol_is_a_sentence_and_a_button(
    desk: Desk, server: RunningServer, reach: dict[str, str]
) -> None:
    server.stop()
    file = Path(reach["ACETATE_RUNTIME_DIR"]) / "server.json"
    desk.wait(lambda: desk.panel()["button"] == "Start")

    def old(connection: ServerConnection) -> None:
        connection.recv()
        connection.send(
            json.dumps({"type": "welcome", "server": "acetate 0", "protocol": 0, "store": "s",
                        "models": [], "modes": [], "limits": {
                            "message_bytes": 1, "image_pixels": 1, "queued_jobs": 1, "variants": 1,
                            "steps": 1, "side": 1, "prompt_characters": 1}})
        )  # fmt: skip
        connection.close()

    with serve(old, "127.0.0.1", 0) as elder:
        threading.Thread(target=elder.serve_forever, daemon=True).start()
        port = elder.socket.getsockname()[1]
        _leave_word(file, port)
        desk.wait(lambda: "protocol" in desk.panel()["status"])
        assert desk.panel()["button"] == "Try again"
        desk.picture("older-protocol")
        elder.shutdown()
    server.start()
    desk.wait(lambda: desk.panel()["button"] == "")


def test_a_wrong_token_is_a_sentence_and_a_button(desk: Desk, reach: dict[str, str]) -> None:
    file = Path(reach["ACETATE_RUNTIME_DIR"]) / "server.json"
    right = file.read_text()
    desk.close_panel()
    file.write_text(json.dumps({**json.loads(right), "token": "wrong"}))
    desk.open_panel()
    desk.wait(lambda: "does not accept this token" in desk.panel()["status"])
    assert desk.panel()["button"] == "Try again"
    file.write_text(right)
    desk.wait(lambda: desk.panel()["button"] == "")


def test_settings_survive_and_gimp_leaves_without_a_trace(desk: Desk) -> None:
    desk.close_panel()
    desk.open_panel()
    desk.wait(lambda: desk.panel()["plan"].startswith("Fills the background"), 60)
    desk.gimp.run("[each.clean_all() for each in Gimp.get_images()]")
    desk.in_image("ctrl+q")
    desk.gimp.process.wait(60)
    until = time.monotonic() + 20
    while (left := _processes_of(desk.gimp)) and time.monotonic() < until:
        time.sleep(0.1)
    assert not left


def _status(desk: Desk) -> str:
    return desk.panel()["status"]


def _leave_word(file: Path, port: int) -> None:
    word = {"pid": os.getpid(), "host": "127.0.0.1", "port": port, "token": "t", "protocol": 0}
    file.write_text(json.dumps(word))


def _processes_of(gimp: Gimp) -> list[str]:
    """Command lines that name this GIMP's own plug-in folder."""
    found: list[str] = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            if entry.name.isdigit() and str(gimp.plugin) in line and "pytest" not in line:
                found.append(line)
    return found
