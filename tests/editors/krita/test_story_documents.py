"""Documents that change while a layer is on its way: resized, closed, out of sight, animated."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.editors.krita.desk import Desk

pytestmark = pytest.mark.slow

ANIMATED = """
from tests.editors.krita import animation

def main():
    global document, answer
    close_documents()
    yield from animation.animated_document(160, 120)
    document = Krita.instance().activeDocument()
    answer = animation.timeline(document)
"""
ON_EVERY_FRAME = """
def main():
    global answer
    for answer in animation.sheet_on_every_frame(document, {name!r}):
        if isinstance(answer, float):
            yield answer
"""


def generate(desk: Desk, prompt: str, mode: str = "text") -> None:
    """Ask for a layer, and wait until the server has begun it."""
    desk.krita.run(f"panel()._actions.set_mode({mode!r})")
    desk.write(prompt)
    desk.generate()
    desk.started()


def test_recipes_and_history_are_saved_in_the_file(desk: Desk, folder: Path) -> None:
    desk.fresh()
    generate(desk, "a red apple")
    desk.wait(lambda: desk.names() == ["red apple", "Background"])
    desk.ready()
    path = folder / "story.kra"
    desk.krita.run(f"document.setBatchmode(True)\nanswer = document.saveAs({str(path)!r})")
    with zipfile.ZipFile(path) as archive:
        inside = {Path(name).name: name for name in archive.namelist() if "annotations" in name}
        recipes = json.loads(archive.read(inside["acetate_recipes.json"]))
        assert archive.read(inside["acetate_note"])
        tree = archive.read("maindoc.xml").decode()
    (key,) = recipes
    assert key in tree, "by the name that the file gives the layer"
    assert recipes[key]["mode"] == "text" and recipes[key]["prompt"] == "a red apple"
    assert recipes[key]["seed"] and recipes[key]["model_hash"]
    path.unlink()


def test_a_document_that_is_cropped_meanwhile_gets_the_layer_where_it_was_asked_for(
    desk: Desk,
) -> None:
    desk.fresh(320, 240)
    generate(desk, "a yellow lemon")
    desk.krita.run("document.resizeImage(0, 0, 200, 150)")
    desk.wait(lambda: "yellow lemon" in desk.names())
    x, y, width, height = desk.ask("box('yellow lemon')")
    assert (x, y) >= (0, 0) and (x + width, y + height) <= (320, 240)
    desk.ready()
    assert desk.view()["sentence"].startswith("Paints 200 × 150, the whole canvas")


def test_a_layer_for_a_closed_document_is_offered(desk: Desk) -> None:
    desk.fresh()
    generate(desk, "a red apple")
    desk.krita.run("close_documents()")
    desk.wait(lambda: desk.names() == [])
    # Without a document Krita shows its welcome page and no docker.
    desk.krita.run("document = new_document(640, 480)")
    desk.wait(lambda: desk.ask("panel().offer.isVisible()"))
    desk.wait(lambda: desk.ask("panel().offer.insert.isEnabled()"))
    desk.picture("offer")
    desk.click("panel().offer.insert")
    desk.wait(lambda: len(desk.names()) == 2)


@pytest.mark.exhaustive
def test_a_moment_without_a_document_between_two_views_does_not_last(desk: Desk) -> None:
    desk.fresh()
    desk.write("a red apple")
    desk.wait(lambda: desk.view()["can_generate"])
    # While a window goes, nothing is looked at.
    desk.wait(lambda: not desk.ask("panel()._studio._window_is_going()"))
    told = desk.krita.run("""
studio = panel()._studio
studio.editor.active_document = lambda: None
studio.refresh()
del studio.editor.active_document
answer = studio.controller.view.sentence
""")
    assert told == "Open or create an image first."
    desk.wait(lambda: desk.view()["can_generate"])


def test_a_generated_layer_leaves_the_timeline_alone(desk: Desk) -> None:
    before = desk.krita.run(ANIMATED)
    assert before[3] == {"Background": [0, 5, 9]}
    sheet = desk.krita.run(ON_EVERY_FRAME.format(name="Background"))
    assert sheet["0"] != sheet["5"] != sheet["9"] == sheet["20"]
    before = desk.ask("animation.timeline(document)")
    generate(desk, "a red apple")
    desk.wait(lambda: desk.names() == ["red apple", "Background"])
    after = desk.ask("animation.timeline(document)")
    assert after == [*before[:3], {**before[3], "red apple": []}], "seen on every frame"
    desk.undo()
    desk.wait(lambda: desk.names() == ["Background"])
    assert desk.ask("animation.timeline(document)") == before
    desk.redo()
    desk.wait(lambda: desk.names() == ["red apple", "Background"])
    assert desk.ask("animation.timeline(document)") == after
    assert desk.krita.run(ON_EVERY_FRAME.format(name="Background")) == sheet


@pytest.mark.exhaustive
def test_the_frame_that_is_seen_is_the_one_that_is_worked_on(desk: Desk) -> None:
    found = desk.krita.run("""
from acetate_bridge.protocol.geometry import Rect
from acetate_krita.adapter import layers as stack
editor = panel()._studio.editor
key, sheet, here = editor.active_document().key, stack.key_of(node('Background')), Rect(3, 3, 1, 1)
answer = [list(editor.read_below(key, sheet, here, 'rgba8', True).data),
          list(editor.read_layer(key, sheet, here, 'rgba8').data)]
""")
    assert found == [[0, 255, 0, 255]] * 2, "frame 5 is green"


@pytest.mark.exhaustive
def test_a_layer_comes_into_its_own_document_and_window(desk: Desk) -> None:
    desk.fresh()
    generate(desk, "a red apple")
    desk.krita.run("""
first = document
other = Krita.instance().openWindow()
other.qwindow().show()
document = new_document(160, 120, window=other)
other.activate()
""")
    desk.wait(lambda: desk.ask("Krita.instance().activeDocument() == document"))
    names = "[each.name() for each in first.rootNode().childNodes()]"
    desk.wait(lambda: desk.ask(names) == ["Background", "red apple"])
    assert desk.names() == ["Background"], "the other document is as it was"

    # Below the lowest layer takes three steps of Krita's: its own window undoes them as one.
    desk.wait(lambda: desk.ask("panel().isVisible()"))
    generate(desk, "green hills", "background")
    desk.wait(lambda: desk.names() == ["Background", "green hills"])
    desk.picture("two-windows")
    desk.undo()
    desk.wait(lambda: desk.names() == ["Background"])
    desk.redo()
    desk.wait(lambda: desk.names() == ["Background", "green hills"])
    assert desk.ask(names) == ["Background", "red apple"]
    desk.krita.run("document.setModified(False)\nother.qwindow().close()")
    desk.wait(lambda: desk.ask("len(panel()._studio._panels)") == 1)
