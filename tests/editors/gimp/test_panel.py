"""The panel as a painter uses it: keyboard, brush, undo, and a server that dies."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.app.server_process import LONG, RunningServer
from tests.editors.caller import Caller
from tests.editors.elder import elder_server
from tests.editors.gimp.conftest import (
    answering,
    assert_no_fault,
    assert_quiet,
)
from tests.editors.gimp.desk import Desk
from tests.editors.gimp.looking import Looking
from tests.editors.gimp.session import Gimp
from tests.editors.screen import Screen

pytestmark = pytest.mark.slow

_CALL_UNTIL_A_LAYER_COMES = f"""
import time
before, until = len(image.get_layers()), time.monotonic() + {LONG}
while panel() and len(image.get_layers()) == before and time.monotonic() < until:
    pass
answer = len(image.get_layers()) > before
"""

_DISCARD_AND_SEE_NOTHING_UNTIL_IT_IS_BACK = f"""
import time
(image,) = gi.repository.Gimp.get_images()
window()._follow()
count, until = len(image.get_layers()), time.monotonic() + {LONG}
panel()._discard.clicked()
gone = len(image.get_layers()) == count - 1
while gone and len(image.get_layers()) < count and time.monotonic() < until:
    time.sleep(0.05)
answer = gone and len(image.get_layers()) == count
"""


@pytest.fixture(scope="module")
def caller(server: RunningServer, folder: Path) -> Iterator[Caller]:
    found = Caller(server, folder)
    yield found
    found.close()


@pytest.fixture(scope="module")
def settings(suite: str, folder: Path) -> Path:
    """Where the panel keeps what the painter has set: steps enough to paint meanwhile."""
    file = folder / f"config-{suite}" / "panel.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"steps": {"embedded": 150}}))
    return file


@pytest.fixture(scope="module")
def desk(
    suite: str,
    screen: Screen,
    folder: Path,
    reach: dict[str, str],
    caller: Caller,
    settings: Path,
    looking: Looking,
) -> Iterator[Desk]:
    environment = {**reach, **looking.environment, "ACETATE_COMMAND": str(caller.command)}
    environment["ACETATE_CONFIG_DIR"] = str(settings.parent)
    theme = {"trixie": "dark", "forky": "light"}[suite]
    gimp = Gimp(suite, folder / f"panel-{suite}", screen, environment, theme)
    try:
        yield Desk(gimp, screen)
    finally:
        gimp.close()
        assert_quiet(gimp)
        assert_no_fault(reach)


def test_a_layer_is_painted_while_the_painter_paints_and_is_one_undo_step(desk: Desk) -> None:
    desk.picture("open")
    desk.write("a red apple")
    assert desk.panel()["plan"].startswith("Paints 640 × 480, the whole canvas")
    desk.generate()
    desk.stroke()
    assert desk.names() == ["Paper"], "the stroke was painted while the layer was"
    desk.wait(lambda: desk.dark_pixels() > 500)
    progress = desk.wait(lambda: desk.panel()["progress"] or not desk.panel()["running"])
    assert progress
    desk.picture("painting")
    desk.wait(lambda: len(desk.names()) == 2)
    assert desk.names() == ["red apple", "Paper"]
    drawn = desk.dark_pixels()
    desk.wait(lambda: desk.panel()["status"].startswith("Ready"))
    desk.picture("done")
    desk.in_image("ctrl+z")
    desk.wait(lambda: desk.names() == ["Paper"])
    assert desk.dark_pixels() == drawn, "the stroke is not undone with it"
    desk.in_image("ctrl+y")
    desk.wait(lambda: desk.names() == ["red apple", "Paper"])


def test_what_is_discarded_and_back_before_the_panel_looked_is_in_the_strip_again(
    desk: Desk, looking: Looking
) -> None:
    strip = "[each.shown for each in window().controller.view.results]"
    desk.wait(lambda: looking.ask(strip) == [True])
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(looking.run, _DISCARD_AND_SEE_NOTHING_UNTIL_IT_IS_BACK)
        desk.wait(lambda: desk.names() == ["Paper"])
        desk.in_image("ctrl+z")
        assert done.result(LONG) is True
    assert desk.names() == ["red apple", "Paper"]
    desk.wait(lambda: looking.ask(strip) == [True])


def test_the_background_goes_directly_below_and_the_menu_turns_to_the_open_panel(
    desk: Desk,
) -> None:
    desk.gimp.run("image.set_selected_layers([image.get_layers()[0]])")
    desk.in_image("ctrl+F9")
    desk.wait(lambda: desk.panel()["plan"].startswith("Fills the background"))
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


def test_a_name_is_completed_while_it_is_typed(desk: Desk) -> None:
    before = desk.names()
    desk.write("a ripe __fr")
    desk.picture("completing")
    desk.screen.key("Tab")
    desk.generate()
    desk.wait(lambda: len(desk.names()) == len(before) + 1)
    (new,) = set(desk.names()) - set(before)
    assert new in ("ripe apple", "ripe pear"), "a line of the file that the name stands for"
    desk.wait(lambda: desk.panel()["status"].startswith("Ready"))
    desk.in_image("ctrl+z")
    desk.wait(lambda: desk.names() == before)
    desk.write("green hills under a blue sky")


def test_a_server_killed_with_a_job_is_told_started_again_and_the_layer_comes(
    desk: Desk, server: RunningServer, caller: Caller
) -> None:
    before, calls = desk.names(), caller.calls
    desk.generate()
    server.kill()
    assert desk.wait_for("lost", "not running", "starting")
    desk.picture("server-gone")
    desk.wait(lambda: len(desk.names()) == len(before) + 1)
    assert caller.calls == calls + 1, "it was started by the plug-in, once"


def test_a_layer_for_a_closed_image_is_offered_and_goes_into_another(desk: Desk) -> None:
    desk.wait(lambda: not desk.panel()["running"])
    desk.generate()
    desk.close_image()
    offer = desk.wait(lambda: desk.panel()["offer"])
    assert "was closed" in offer
    desk.new_image()
    desk.wait(lambda: "640 × 480" in desk.panel()["plan"])
    desk.picture("offer")
    desk.in_panel("alt+n")
    desk.wait(lambda: len(desk.names()) == 2)
    assert "green hills" in desk.names()[0]
    desk.wait(lambda: not desk.panel()["offer"])


def test_a_wrong_token_is_a_sentence_and_a_button(
    desk: Desk, server: RunningServer, reach: dict[str, str]
) -> None:
    desk.close_panel()
    with answering(server, reach, token="wrong"):
        desk.open_panel()
        desk.shows("does not accept this token", "Try again")
        desk.picture("wrong-token")
    desk.in_panel("alt+t")
    desk.shows("Ready", "")


def test_an_older_protocol_and_a_server_that_fails_are_a_sentence_and_a_button(
    desk: Desk, server: RunningServer, echo_server: RunningServer, reach: dict[str, str]
) -> None:
    desk.close_panel()
    with elder_server(server.runtime.token) as port, answering(server, reach, port=port):
        desk.open_panel()
        desk.shows("protocol 0", "Try again")
        desk.picture("older-protocol")
    with answering(echo_server, reach):
        desk.in_panel("alt+t")
        desk.wait_for("Ready · Echo")
        for prompt, words in (
            ("break", "That cannot be painted. Ask for something else."),
            ("bug", "The painting failed"),
        ):
            before = desk.names()
            desk.write(prompt)
            desk.in_panel("ctrl+Return")
            desk.shows(words, "Try again")
            assert "Traceback" not in desk.status() and desk.names() == before
        desk.picture("failed")
        desk.write("step=0.01 a boat")
        desk.in_panel("ctrl+Return")
        # However often others call it, also while pixels are on their way.
        came = desk.gimp.run(_CALL_UNTIL_A_LAYER_COMES)
        assert came and desk.wait_for("Ready")
        desk.close_panel()


def test_a_missing_model_is_a_sentence_and_a_button(
    desk: Desk, settings: Path, echo_server: RunningServer, reach: dict[str, str]
) -> None:
    kept = json.loads(settings.read_text())
    settings.write_text(json.dumps({**kept, "model": "away"}))
    with answering(echo_server, reach):
        desk.open_panel()
        desk.shows("Needs Far Away", "Get it")
        desk.picture("missing-model")
        desk.click_settings()
        dialog = desk.screen.wait_for_window("^Acetate Settings$")
        desk.picture("settings")
        desk.screen.focus(dialog)
        desk.screen.key("Escape")
        desk.wait(lambda: not desk.screen.windows("^Acetate Settings$"))
        desk.close_panel()
    settings.write_text(json.dumps({**kept, "model": ""}))


def test_settings_survive_and_gimp_leaves_without_a_trace(desk: Desk, settings: Path) -> None:
    desk.open_panel()
    desk.wait_for("Ready")
    desk.in_image("shift+F9")
    desk.wait(lambda: desk.panel()["plan"].startswith("Paints 640 × 480"))
    desk.write("a yellow star")
    desk.gimp.run("image.clean_all()")
    desk.close_panel()
    desk.wait(lambda: json.loads(settings.read_text())["prompts"]["text"] == "a yellow star")
    desk.open_panel()
    desk.wait(lambda: desk.panel()["plan"].startswith("Paints 640 × 480"))
    dirty, parasites = desk.gimp.run("answer = [image.is_dirty(), image.get_parasite_list()]")
    # Both have come with the layers that were painted before.
    ours = {"acetate-mark", "acetate-note"}
    assert not dirty and set(parasites) == ours, "the panel itself changes no image"
    desk.assert_undisturbed()
    desk.in_image("ctrl+q")
    desk.gimp.process.wait(LONG)
    until = time.monotonic() + LONG
    while (left := _processes_of(desk.gimp)) and time.monotonic() < until:
        time.sleep(0.1)
    assert not left


def _processes_of(gimp: Gimp) -> list[str]:
    """Command lines that name this GIMP's own plug-in folder."""
    found: list[str] = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            if entry.name.isdigit() and str(gimp.plugin) in line and "pytest" not in line:
                found.append(line)
    return found
