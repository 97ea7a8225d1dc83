"""The docker as a painter uses it: keyboard, brush, undo, and a server that dies."""

from __future__ import annotations

import json
import os
import threading
import time
import zipfile
from pathlib import Path

import pytest
from websockets.sync.server import ServerConnection, serve

from tests.app.server_process import RunningServer
from tests.editors.caller import Caller
from tests.editors.krita.conftest import assert_quiet, reach
from tests.editors.krita.desk import Desk

pytestmark = pytest.mark.slow


def test_a_layer_is_painted_while_the_painter_paints_and_is_one_undo_step(desk: Desk) -> None:
    desk.ready()
    desk.picture("open")
    desk.write("a red apple")
    assert desk.view()["sentence"].startswith("Paints 640 × 480, the whole canvas")
    desk.generate()
    x, y = desk.press_brush()
    seen = {"share": False, "preview": False}
    until = time.monotonic() + 300
    moved = 0
    while "as soon as the hand rests" not in desk.view()["status"]:
        assert time.monotonic() < until, desk.view()
        view = desk.view()
        seen["share"] |= view["share"] is not None and view["share"] > 0
        if view["preview"] and not seen["preview"]:
            seen["preview"] = True
            desk.picture("painting")
        moved = min(moved + 3, 280)
        desk.screen.do("xdotool", "mousemove", str(x + moved), str(y))
        time.sleep(0.05)
    assert seen == {"share": True, "preview": True}
    assert desk.names() == ["Background"], "nothing comes in during a stroke"
    for step in range(moved, 300, 4):
        desk.screen.do("xdotool", "mousemove", str(x + step), str(y))
    desk.screen.do("xdotool", "mouseup", "1")
    desk.wait(lambda: len(desk.names()) == 2, 30)
    assert desk.names() == ["red apple", "Background"]
    stroke = desk.ask("painted_columns('Background')")
    first = next(i for i, count in enumerate(stroke) if count)
    last = len(stroke) - next(i for i, count in enumerate(reversed(stroke)) if count)
    assert last - first > 100 and all(stroke[first:last]), "the stroke is whole"
    desk.ready()
    desk.picture("done")
    assert desk.ask("document.activeNode().name()") == "red apple"
    desk.on_canvas("ctrl+z")
    desk.wait(lambda: desk.names() == ["Background"], 20)
    assert desk.ask("painted_columns('Background')") == stroke, "only the layer is undone"
    desk.on_canvas("ctrl+shift+z")
    desk.wait(lambda: desk.names() == ["red apple", "Background"], 20)


def test_a_selection_says_where_and_a_feathered_edge_becomes_a_mask(desk: Desk) -> None:
    desk.krita.run("""
from krita import Selection
chosen = Selection()
chosen.select(100, 60, 256, 192, 255)
chosen.feather(6)
document.setSelection(chosen)
""")
    desk.wait(lambda: "at the selection" in desk.view()["sentence"], 20)
    desk.write("a green leaf")
    desk.generate()
    desk.wait(lambda: "green leaf" in desk.names())
    desk.ready()
    assert desk.names()[:2] == ["green leaf", "  Selection"]
    box = desk.ask("[getattr(node('green leaf').bounds(), each)() for each in 'xywidthheight'[:2]]")
    assert box[0] >= 88 and box[1] >= 48
    desk.on_canvas("ctrl+z")
    desk.wait(lambda: "green leaf" not in desk.names(), 20)
    desk.krita.run("document.setSelection(None)\ndocument.setActiveNode(node('red apple'))")


def test_the_background_goes_directly_below_its_layer(desk: Desk) -> None:
    desk.wait(lambda: desk.ask("document.activeNode().name()") == "red apple", 20)
    desk.krita.run("Krita.instance().action('acetate_background').trigger()")
    desk.wait(lambda: desk.view()["sentence"].startswith("Fills the background"), 20)
    assert desk.view()["status"] == "Say what to paint first."
    desk.screen.type("green hills under a blue sky")
    desk.screen.key("ctrl+Return")
    desk.wait(lambda: desk.view()["running"], 30)
    desk.wait(lambda: len(desk.names()) == 3)
    assert desk.names()[0] == "red apple" and desk.names()[2] == "Background"
    desk.ready()
    desk.picture("background")


def test_escape_cancels(desk: Desk) -> None:
    before = desk.names()
    desk.generate()
    desk.screen.key("Escape")
    desk.wait(lambda: desk.view()["status"] == "Cancelled.")
    assert desk.names() == before and not desk.view()["running"]


def test_a_server_killed_with_a_job_is_started_again_and_the_layer_comes(
    desk: Desk, server: RunningServer, caller: Caller
) -> None:
    before, calls = desk.names(), caller.calls
    desk.generate()
    server.kill()
    words = ("lost", "not running", "starting")
    desk.wait(lambda: any(word in desk.view()["status"] for word in words))
    desk.picture("server-gone")
    if desk.view()["button"] == "Start":
        desk.click("panel().status.button")
    desk.wait(lambda: len(desk.names()) == len(before) + 1)
    assert caller.calls == calls + 1, "it was started from here, once"


def test_recipes_and_history_are_saved_in_the_file(desk: Desk, folder: Path) -> None:
    desk.wait(lambda: not desk.view()["running"])
    path = folder / "story.kra"
    desk.krita.run(f"document.setBatchmode(True)\nanswer = document.saveAs({str(path)!r})")
    with zipfile.ZipFile(path) as archive:
        inside = {Path(name).name: name for name in archive.namelist() if "annotations" in name}
        recipes = json.loads(archive.read(inside["acetate_recipes.json"]))
        assert archive.read(inside["acetate_note"])
        tree = archive.read("maindoc.xml").decode()
    stored = [key for key in recipes if key in tree]
    assert {recipes[key]["mode"] for key in stored} == {"text", "background"}
    assert all(recipes[key]["seed"] and recipes[key]["model_hash"] for key in stored)


def test_a_layer_for_a_closed_document_is_offered(desk: Desk) -> None:
    desk.generate()
    desk.krita.run("document.setModified(False)\ndocument.close()")
    desk.wait(lambda: desk.names() == [], 20)
    # Without a document Krita shows its welcome page and no docker.
    desk.krita.run("document = new_document(640, 480)")
    desk.wait(lambda: desk.ask("panel().offer.isVisible()"))
    desk.wait(lambda: desk.ask("panel().offer.insert.isEnabled()"), 20)
    desk.picture("offer")
    desk.click("panel().offer.insert")
    desk.wait(lambda: len(desk.names()) == 2, 20)


def test_an_older_protocol_is_a_sentence_and_a_button(
    desk: Desk, server: RunningServer, folder: Path
) -> None:
    server.stop()
    desk.wait(lambda: desk.view()["button"] == "Start")
    assert "not running" in desk.view()["status"]

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
        _leave_word(folder, elder.socket.getsockname()[1])
        desk.wait(lambda: "protocol" in desk.view()["status"])
        assert desk.view()["button"] == "Try again"
        desk.picture("older-protocol")
        elder.shutdown()


def test_a_wrong_token_is_a_sentence_and_a_button(
    desk: Desk, server: RunningServer, folder: Path
) -> None:
    server.start()
    file = _word(folder)
    right = file.read_text()
    server.stop()
    desk.wait(lambda: desk.view()["button"] == "Start")
    server.start()
    right = file.read_text()
    file.write_text(json.dumps({**json.loads(right), "token": "wrong"}))
    desk.krita.run("panel()._studio.controller.stop()\npanel()._studio.controller.start()")
    desk.wait(lambda: "does not accept this token" in desk.view()["status"])
    assert desk.view()["button"] == "Try again"
    file.write_text(right)
    desk.click("panel().status.button")
    desk.wait(lambda: desk.view()["button"] == "")


def test_krita_quits_without_a_thread_or_a_process_left(desk: Desk) -> None:
    assert "acetate client" in desk.ask("threads()")
    assert desk.krita.quit(60) == 0
    assert_quiet(desk.krita)


def _word(folder: Path) -> Path:
    return Path(reach(folder)["ACETATE_RUNTIME_DIR"]) / "server.json"


def _leave_word(folder: Path, port: int) -> None:
    word = {"pid": os.getpid(), "host": "127.0.0.1", "port": port, "token": "t", "protocol": 0}
    _word(folder).write_text(json.dumps(word))
