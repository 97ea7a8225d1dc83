"""The docker as a painter uses it: keyboard, brush and undo, while a layer is on its way."""

from __future__ import annotations

import time

import pytest

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
        moved = min(moved + 15, 280)
        desk.screen.do("xdotool", "mousemove", str(x + moved), str(y))
    assert seen == {"share": True, "preview": True}
    assert desk.names() == ["Background"], "nothing comes in during a stroke"
    for step in range(moved, 300, 4):
        desk.screen.do("xdotool", "mousemove", str(x + step), str(y))
    desk.screen.do("xdotool", "mouseup", "1")
    desk.wait(lambda: len(desk.names()) == 2)
    assert desk.names() == ["red apple", "Background"]
    stroke = desk.ask("painted_columns('Background')")
    first = next(i for i, count in enumerate(stroke) if count)
    last = len(stroke) - next(i for i, count in enumerate(reversed(stroke)) if count)
    assert last - first > 100 and all(stroke[first:last]), "the stroke is whole"
    desk.ready()
    desk.picture("done")
    assert desk.ask("document.activeNode().name()") == "Background", "the hand goes on there"
    desk.undo()
    desk.wait(lambda: desk.names() == ["Background"])
    assert desk.ask("painted_columns('Background')") == stroke, "only the layer is undone"
    desk.redo()
    desk.wait(lambda: desk.names() == ["red apple", "Background"])


def test_variants_at_a_soft_selection_are_swapped_kept_and_discarded(desk: Desk) -> None:
    # A layer comes in above the one that is worked on, and a result does not become that by itself.
    desk.choose("red apple")
    desk.krita.run("select(100, 60, 160, 120, 6)")
    desk.wait(lambda: "at the selection" in desk.view()["sentence"])
    desk.write("a green leaf")
    desk.click("panel().details.fold")
    desk.wait(lambda: desk.ask("panel().details.inputs['variants'].isVisible()"))
    desk.krita.run("panel().details.inputs['variants'].setFocus()")
    desk.screen.key("ctrl+a")
    desk.screen.type("2")
    desk.wait(lambda: desk.ask("panel()._view.fields['variants'].value") == 2)
    desk.picture("details")
    desk.click("panel().details.fold")
    desk.generate()
    desk.wait(lambda: (desk.view()["share"] or 0) > 0.3 or not desk.view()["running"])
    desk.picture("variants")
    masked = ["green leaf", "  Selection", "red apple", "Background"]
    desk.wait(lambda: desk.names() == masked)
    desk.wait(lambda: desk.view()["results"] == [True, False])
    desk.ready()
    x, y, width, height = desk.ask("mask_box('green leaf')")
    assert x <= 100 and y <= 60 and x + width >= 260 and y + height >= 180, "all of the selection"
    # How far the leaf itself reaches is the model's affair: its box is that of what is painted.
    x, y, width, height = desk.ask("box('green leaf')")
    assert x >= 82 and y >= 42, "nothing but the selection"
    assert x + width <= 278 and y + height <= 198, "nothing but the selection"
    assert x < 180 < x + width and y < 120 < y + height, "in the middle of it"

    first = desk.ask("picture_of('green leaf')")
    desk.click("panel().results.buttons[1]")
    desk.wait(lambda: desk.view()["results"] == [False, True])
    assert desk.names() == masked and desk.ask("picture_of('green leaf')") != first
    desk.undo()
    desk.wait(lambda: desk.ask("picture_of('green leaf')") == first)
    # One key, though Krita takes several steps, between which both are there.
    desk.wait(lambda: desk.names() == masked and desk.view()["results"] == [True, False])
    desk.redo()
    desk.wait(lambda: desk.ask("picture_of('green leaf')") != first)
    desk.wait(lambda: desk.names() == masked and desk.view()["results"] == [False, True])

    desk.click("panel().keep")
    desk.wait(lambda: desk.ask("panel()._view.results[1].kept"))
    desk.click("panel().results.buttons[0]")
    desk.wait(lambda: desk.names() == [*masked[:2], *masked])
    desk.click("panel().discard")
    desk.wait(lambda: desk.names() == masked)
    desk.wait(lambda: desk.view()["results"] == [])
    desk.krita.run("document.setSelection(None)\npanel()._actions.set_field('variants', 1)")


def test_the_background_goes_directly_below_its_layer(desk: Desk) -> None:
    desk.choose("red apple")
    desk.krita.run("Krita.instance().action('acetate_background').trigger()")
    desk.wait(lambda: desk.view()["sentence"].startswith("Fills the background"))
    assert desk.view()["status"] == "Say what to paint first."
    before = desk.names()
    desk.screen.type("green hills under a blue sky")
    desk.wait(lambda: desk.view()["prompt"] == "green hills under a blue sky")
    desk.screen.key("ctrl+Return")
    desk.wait(lambda: desk.view()["running"])
    desk.wait(lambda: len(desk.names()) == len(before) + 1)
    after = desk.names()
    assert after[after.index("red apple") + 1 :] == ["green hills under a blue sky", "Background"]
    desk.ready()
    desk.picture("background")
    desk.undo()
    desk.wait(lambda: desk.names() == before)
    desk.redo()
    desk.wait(lambda: desk.names() == after)


def test_a_name_is_completed_while_it_is_typed(desk: Desk) -> None:
    desk.write("a ripe __fr")
    desk.wait(lambda: desk.ask("panel().prompts.completer.open"))
    desk.picture("completing")
    desk.screen.key("Tab")
    desk.wait(lambda: desk.view()["prompt"] == "a ripe __fruits__")
    assert not desk.ask("panel().prompts.completer.open")
    assert desk.ask("panel().prompts.text.hasFocus()"), "Tab took the name, and not the keyboard"
    desk.write("green hills under a blue sky")


def test_escape_cancels(desk: Desk) -> None:
    before = desk.names()
    desk.generate()
    desk.screen.key("Escape")
    desk.wait(lambda: desk.view()["status"] == "Cancelled.")
    assert desk.names() == before and not desk.view()["running"]
