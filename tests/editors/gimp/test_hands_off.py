"""Results that come while the painter is in the middle of something: nothing of that is lost."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from acetate_bridge.client.discovery import write_runtime
from tests.app.server_process import RunningServer
from tests.editors.gimp.conftest import assert_no_fault, assert_quiet
from tests.editors.gimp.desk import Desk
from tests.editors.gimp.session import Gimp
from tests.editors.gimp.session_bus import SessionBus
from tests.editors.screen import Screen

pytestmark = pytest.mark.slow

_SOON, _IN_A_WHILE = "a boat, step=0.1", "a boat, step=2"


@pytest.fixture(scope="module")
def desk(suite: str, screen: Screen, folder: Path, echo_server: RunningServer) -> Iterator[Desk]:
    """The panel beside a server that gives back what it is sent, a step each half a second."""
    own = folder / f"hands-{suite}"
    (own / "config").mkdir(parents=True)
    write_runtime(echo_server.runtime, own / "run")
    (own / "config" / "panel.json").write_text(json.dumps({"steps": {"echo": 6}}))
    reach = {
        "ACETATE_RUNTIME_DIR": str(own / "run"),
        "ACETATE_DATA_DIR": str(own / "data"),
        "ACETATE_CONFIG_DIR": str(own / "config"),
        "ACETATE_COMMAND": str(own / "no-such"),
    }
    with contextlib.closing(SessionBus(suite, own)) as bus:
        environment = {**reach, "DBUS_SESSION_BUS_ADDRESS": bus.address}
        gimp = Gimp(suite, own / "home", screen, environment)
        try:
            yield Desk(gimp, screen)
        finally:
            gimp.close()
            assert_quiet(gimp)
            assert_no_fault(reach)


@pytest.fixture
def sheet(desk: Desk) -> Iterator[Desk]:
    """A fresh image with a red rectangle on the active layer, in front."""
    desk.new_image()
    desk.gimp.run("""
pic = add_picture(image, "pic", 100, 100, 300, 200, solid=(200, 40, 40, 255))
image.clean_all()
Gimp.displays_flush()
""")
    desk.in_image("ctrl+shift+j")
    desk.wait(lambda: "640 × 480" in desk.panel()["plan"])
    yield desk
    desk.screen.focus(desk.gimp.window)
    desk.screen.key("Escape")
    desk.wait(lambda: not desk.panel()["running"])
    desk.close_image()


def test_a_transformation_goes_on_and_the_result_waits_for_it(sheet: Desk) -> None:
    sheet.in_image("shift+r")
    drag(sheet, (0.3, 0.75), (0.4, 0.85))
    begin(sheet)
    waits(sheet)
    sheet.wait(lambda: "“pic” is hidden" in sheet.status())
    sheet.in_image("Return")
    sheet.wait(lambda: sheet.gimp.run("answer = pic.get_width() != 300"))
    arrived(sheet, "pic")

    def seen() -> bool:
        # GIMP begins to transform anew whenever another layer was selected, be it for a moment.
        sheet.in_image("Escape")
        return sheet.gimp.run("answer = pic.get_visible()")

    sheet.wait(seen)


@pytest.mark.exhaustive
def test_a_transformation_of_a_selection_goes_on(sheet: Desk) -> None:
    sheet.gimp.run("image.select_rectangle(Gimp.ChannelOps.REPLACE, 150, 150, 120, 80)")
    begin(sheet, _IN_A_WHILE)
    sheet.in_image("shift+r")
    drag(sheet, (0.3, 0.75), (0.4, 0.85))
    waits(sheet)
    sheet.in_image("Return")
    sheet.wait(lambda: sheet.gimp.run("answer = image.get_floating_sel() is not None"))
    assert sheet.names()[0] != "boat", "and for the floating selection, too"
    sheet.in_image("ctrl+h")
    # GIMP 3.0 begins to transform the whole layer then.
    sheet.in_image("Escape")
    sheet.in_panel("Tab")
    sheet.wait(lambda: "boat" in sheet.names())


@pytest.mark.exhaustive
def test_a_selection_is_dragged_to_its_end(sheet: Desk) -> None:
    begin(sheet, _IN_A_WHILE)
    sheet.in_image("r")
    down = ["sleep", "0.1", "mousedown", "1", "mousemove_relative", "30", "8"]
    sheet.screen.do("xdotool", "mousemove", *_place(sheet, 0.3, 0.4), *down)
    waits(sheet)
    up = ["mousemove_relative", "0", "60", "sleep", "0.2", "mouseup", "1"]
    sheet.screen.do("xdotool", *up)
    bounds = "answer = list(Gimp.Selection.bounds(image))"
    sheet.wait(lambda: sheet.gimp.run(bounds)[1])
    _, _, left, top, right, bottom = sheet.gimp.run(bounds)
    assert bottom - top > right - left, "it went on after the result had come"
    sheet.in_panel("Tab")
    sheet.wait(lambda: "boat" in sheet.names())


def test_a_text_is_typed_to_its_end(sheet: Desk) -> None:
    begin(sheet, _IN_A_WHILE)
    sheet.in_image("t")
    click(sheet, 0.3, 0.75)
    sheet.screen.type("hello")
    sheet.wait(lambda: "hello" in sheet.names())
    waits(sheet)
    sheet.screen.focus(sheet.gimp.window)
    sheet.screen.type("world")
    sheet.wait(lambda: "helloworld" in sheet.names())
    sheet.in_panel("Tab")
    sheet.wait(lambda: "boat" in sheet.names())
    assert "helloworld" in sheet.names()


def test_an_open_filter_dialog_stays_open(sheet: Desk) -> None:
    sheet.in_image("slash")
    sheet.screen.wait_for_window("Search Actions")
    sheet.screen.type("gaussian blur")
    sheet.screen.key("Return")
    dialog = sheet.screen.wait_for_window("Gaussian Blur")
    begin(sheet)
    waits(sheet)
    sheet.screen.focus(dialog)
    sheet.screen.key("Return")
    sheet.wait(lambda: sheet.gimp.run("answer = len(pic.get_filters())") == 1)
    sheet.wait(lambda: "boat" in sheet.names())
    assert sheet.gimp.run("answer = len(pic.get_filters())") == 1


def test_strokes_go_on_the_layer_that_was_active(sheet: Desk) -> None:
    sheet.gimp.run("image.set_selected_layers([paper])")
    begin(sheet)
    arrived(sheet, "Paper")
    sheet.stroke()
    sheet.wait(lambda: sheet.dark_pixels() > 200)


def test_strokes_go_on_the_quick_mask(sheet: Desk) -> None:
    sheet.in_image("shift+q")
    sheet.wait(lambda: sheet.gimp.run("answer = len(image.get_channels())") == 1)
    begin(sheet)
    sheet.wait(lambda: "boat" in sheet.names())
    chosen = "answer = [c.get_name() for c in image.get_selected_channels()]"
    sheet.wait(lambda: sheet.gimp.run(chosen) == ["Qmask"])


def test_strokes_go_on_the_mask_of_a_layer(sheet: Desk) -> None:
    sheet.gimp.run("""
pic.add_mask(pic.create_mask(Gimp.AddMaskType.WHITE))
image.set_selected_layers([pic])
pic.set_edit_mask(True)
Gimp.displays_flush()
""")
    begin(sheet)
    arrived(sheet, "pic")
    assert sheet.gimp.run("answer = pic.get_edit_mask()")


def test_the_undo_history_is_on_while_the_history_is_noted(sheet: Desk) -> None:
    sheet.gimp.run("image.set_selected_layers([paper])")
    hand = threading.Thread(target=sheet.stroke)
    hand.start()
    sheet.gimp.run("""
import time
from adapter.metadata import write_note
until = time.monotonic() + 4
while time.monotonic() < until:
    write_note(image, bytes(400000) + str(time.monotonic()).encode())
""")
    hand.join()
    sheet.wait(lambda: sheet.dark_pixels() > 200)
    sheet.in_image("ctrl+z")
    sheet.wait(lambda: sheet.dark_pixels() == 0)


def test_the_panel_belongs_to_the_image_in_front(sheet: Desk) -> None:
    sheet.gimp.run("""
other = new_image(320, 200)
behind = add_paper(other, "behind")
second = Gimp.Display.new(other)
other.clean_all()
""")
    sheet.wait(lambda: "320 × 200" in sheet.panel()["plan"])
    sheet.gimp.run("""
image.select_rectangle(Gimp.ChannelOps.REPLACE, 10, 20, 64, 48)
scratch = new_image(77, 77)
add_paper(scratch)
""")
    begin(sheet, _IN_A_WHILE)
    assert "320 × 200" in sheet.panel()["plan"], "what scripts do behind it does not matter"
    count = "answer = [len(each.get_layers()) for each in (other, image, scratch)]"
    before = sheet.gimp.run(count)
    sheet.in_image("alt+2")
    sheet.wait(lambda: "64 × 48 at the selection (10, 20)" in sheet.panel()["plan"])
    sheet.wait(lambda: sheet.gimp.run(count) == [before[0] + 1, *before[1:]])
    assert "64 × 48" in sheet.panel()["plan"], "it stays with the painter"
    sheet.gimp.run("scratch.delete(); second.delete()")


@pytest.mark.exhaustive
def test_a_second_view_of_an_image_is_that_image(sheet: Desk) -> None:
    number = sheet.gimp.run("""
view = Gimp.Display.new(image)
answer = image.get_id()
""")
    sheet.screen.wait_for_window(rf"Untitled.*-{number}\.1 ")
    sheet.gimp.run("image.select_rectangle(Gimp.ChannelOps.REPLACE, 10, 20, 64, 48)")
    sheet.wait(lambda: "64 × 48 at the selection (10, 20)" in sheet.panel()["plan"])
    sheet.gimp.run("Gimp.Selection.none(image)")
    sheet.wait(lambda: "640 × 480" in sheet.panel()["plan"])
    begin(sheet, _IN_A_WHILE)
    # The view that is left is the same image: its job goes on, and its result comes once.
    sheet.gimp.run("view.delete()")
    sheet.screen.wait_for_window(rf"Untitled.*-{number}\.0 ")
    sheet.wait(lambda: "boat" in sheet.names())
    sheet.wait(lambda: not sheet.panel()["running"])
    assert sheet.names().count("boat") == 1 and not sheet.panel()["offer"]
    assert "640 × 480" in sheet.panel()["plan"]


@pytest.mark.exhaustive
def test_a_panel_closed_and_opened_again_knows_its_image(sheet: Desk) -> None:
    begin(sheet, _IN_A_WHILE)
    sheet.close_panel()
    sheet.open_panel()
    sheet.wait(lambda: "boat" in sheet.names())
    assert not sheet.panel()["offer"]


def test_a_result_that_the_image_refuses_is_kept(sheet: Desk) -> None:
    begin(sheet, _IN_A_WHILE)
    sheet.gimp.run("image.convert_grayscale()")
    sheet.wait(lambda: not sheet.panel()["running"])
    assert "boat" not in sheet.names()
    sheet.close_panel()
    sheet.gimp.run("image.convert_rgb(); Gimp.displays_flush()")
    sheet.open_panel()
    sheet.wait(lambda: "boat" in sheet.names() or sheet.panel()["offer"])


def begin(desk: Desk, prompt: str = _SOON) -> None:
    """Ask for a layer, which comes soon or in a while."""
    desk.click_prompt()
    desk.write(prompt)
    desk.in_panel("ctrl+Return")
    if prompt == _IN_A_WHILE:
        desk.wait(lambda: desk.panel()["running"])


def arrived(desk: Desk, chosen: str) -> None:
    """The result is in the image, and this layer is the selected one once its insertion is over."""
    desk.wait(lambda: "boat" in desk.names())
    names = "answer = [each.get_name() for each in image.get_selected_layers()]"
    desk.wait(lambda: desk.gimp.run(names) == [chosen])


def waits(desk: Desk) -> None:
    """The result is there, but not in the image."""
    desk.wait(lambda: desk.panel()["button"] == "Insert now")
    assert "boat" not in desk.names()


def drag(desk: Desk, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Click once on the canvas, then drag: places as shares of the window."""
    parts = [part / 5 for part in range(1, 6)]
    path = [tuple(a + (b - a) * part for a, b in zip(start, end, strict=True)) for part in parts]
    words = ["mousemove", *_place(desk, *start), "sleep", "0.1", "click", "1", "mousedown", "1"]
    for x, y in path:
        words += ["mousemove", *_place(desk, x, y), "sleep", "0.05"]
    desk.screen.do("xdotool", *words, "mouseup", "1")


def click(desk: Desk, x: float, y: float) -> None:
    """Click on the canvas."""
    desk.screen.do("xdotool", "mousemove", *_place(desk, x, y), "sleep", "0.1", "click", "1")


def _place(desk: Desk, x: float, y: float) -> tuple[str, str]:
    size = desk.screen.do("xdotool", "getwindowgeometry", "--shell", desk.gimp.window)
    found = dict(line.split("=") for line in size.splitlines() if "=" in line)
    across, down = (int(found[name]) for name in ("WIDTH", "HEIGHT"))
    return str(int(found["X"]) + round(x * across)), str(int(found["Y"]) + round(y * down))


def test_ctrl_z_right_after_ctrl_enter_undoes_in_the_image(sheet: Desk) -> None:
    sheet.write("a red apple")
    sheet.in_panel("ctrl+z", "ctrl+Return")
    sheet.wait(lambda: sheet.names() == ["red apple", "pic", "Paper"])
    sheet.wait(lambda: not sheet.panel()["running"])
    sheet.in_panel("ctrl+z")
    sheet.wait(lambda: sheet.names() == ["pic", "Paper"])
