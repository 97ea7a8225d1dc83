"""The live preview under a real hand: seen on the canvas, and nothing of it in the document."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.editors.krita.desk import Desk

pytestmark = [pytest.mark.slow, pytest.mark.matrix]

_STROKES = 200


@pytest.fixture
def sheet(desk: Desk) -> Iterator[Desk]:
    """A fresh document with the brush in hand, and a prompt."""
    desk.krita.run("from tests.editors.krita.live_checks import *")
    desk.fresh()
    desk.krita.run("Krita.instance().action('KritaShape/KisToolBrush').trigger()")
    with desk.settings_kept():
        desk.write("a red apple")
        # Every generation draws another, and this test looks at what is painted.
        desk.krita.run("panel()._actions.set_field('seed', 0)")
        desk.wait(lambda: desk.ask("settled()"))
        yield desk
        desk.krita.run("studio().controller.set_live(False)")
    desk.fresh()


def switch(desk: Desk, on: bool) -> None:
    desk.click("panel().live.switch")
    desk.wait(lambda: desk.ask("panel().live.switch.isChecked()") is on)


def test_a_preview_is_seen_and_the_document_does_not_notice(sheet: Desk) -> None:
    sheet.krita.run("block(200, 200, 100)")
    sheet.wait(lambda: sheet.ask("settled()"))
    before = sheet.ask("fingerprint()")
    paper = "colour_at(*spot(120, 120))"
    sheet.wait(lambda: sheet.ask(paper) == [255, 255, 255])
    switch(sheet, True)
    sheet.wait(lambda: sheet.ask("overlay() is not None"))
    sheet.wait(lambda: sheet.ask(paper) != [255, 255, 255])
    sheet.picture("live")
    assert sheet.ask("fingerprint()") == before and sheet.names() == ["Background"]
    assert sheet.view()["results"] == [] and sheet.view()["history"] == 0
    switch(sheet, False)
    sheet.wait(lambda: sheet.ask("overlays()") == 0)
    sheet.wait(lambda: sheet.ask(paper) == [255, 255, 255])
    assert sheet.ask("fingerprint()") == before and sheet.ask("open_jobs()") == []


@pytest.mark.exhaustive
def test_200_rapid_strokes_leave_one_preview_and_200_strokes(sheet: Desk) -> None:
    switch(sheet, True)
    sheet.krita.run("most = Most()")
    x, y = sheet.ask("place(canvas())")
    for part in range(0, _STROKES, 20):
        words: list[str] = []
        for stroke in range(part, part + 20):
            across, down = stroke % 20 * 12 - 120, stroke // 20 * 14 - 70
            words += ["mousemove", str(x + across), str(y + down), "mousedown", "1"]
            words += ["mousemove_relative", "6", "4", "mouseup", "1", "sleep", "0.02"]
        sheet.screen.do("xdotool", *words)
    # A preview may come while Krita has still strokes to hear of.
    sheet.wait(lambda: sheet.ask("most.strokes") >= _STROKES)
    sheet.wait(lambda: sheet.ask("settled()"))
    sheet.wait(lambda: sheet.ask("overlay() is not None"))
    sheet.picture("live-strokes")
    assert sheet.ask("most.jobs") <= 1, "nothing piles up"
    assert sheet.names() == ["Background"]
    steps = sheet.ask("steps()")
    assert steps and len(set(steps)) == 1, "each of them a stroke of the painter's"
    sheet.krita.run("most.stop()")
    switch(sheet, False)
    sheet.wait(lambda: sheet.ask("overlays()") == 0 and sheet.ask("open_jobs()") == [])
    assert sheet.ask("steps()") == steps


def test_a_stroke_takes_the_old_preview_away_and_undo_brings_another(sheet: Desk) -> None:
    def another(than: str) -> str:
        return sheet.wait(lambda: (job := sheet.ask("shown()")) != than and job)

    switch(sheet, True)
    first = another("")
    sheet.press_brush()
    sheet.wait(lambda: sheet.ask("overlay() is None"))
    sheet.screen.do("xdotool", "mousemove_relative", "120", "10", "mouseup", "1")
    sheet.wait(lambda: sheet.ask("len(steps())") == 1)
    second = another(first)
    sheet.undo()
    another(second)
    assert sheet.names() == ["Background"]


def test_keep_puts_it_in_as_one_undo_step(sheet: Desk) -> None:
    switch(sheet, True)
    sheet.wait(lambda: sheet.ask("panel().live.keep.isEnabled()"))
    sheet.click("panel().live.keep")
    sheet.wait(lambda: len(sheet.names()) == 2)
    assert sheet.names() == ["red apple", "Background"]
    sheet.wait(lambda: sheet.ask("overlays()") == 0)
    sheet.wait(lambda: sheet.view()["results"] == [True])
    sheet.undo()
    sheet.wait(lambda: sheet.names() == ["Background"])
    sheet.wait(lambda: sheet.ask("node('Background').visible()"))


def test_the_pointer_on_a_result_shows_it_on_the_canvas_and_leaves_no_trace(sheet: Desk) -> None:
    def point(widget: str) -> bool:
        """Move the pointer to a widget, wherever that is by now."""
        x, y = sheet.ask(f"place({widget})")
        sheet.screen.do("xdotool", "mousemove", str(x), str(y))
        return sheet.ask("overlay() is not None")

    sheet.krita.run("panel()._actions.set_field('variants', 2)")
    try:
        sheet.generate()
        sheet.wait(lambda: not sheet.view()["running"] and len(sheet.view()["results"]) == 2)
        sheet.wait(lambda: sheet.ask("panel()._studio.editor.settled and settled()"))
        other = sheet.view()["results"].index(False)
        before = sheet.ask("fingerprint()")
        sheet.wait(lambda: point(f"panel().results.buttons[{other}]"))
        sheet.picture("peek")
        assert sheet.ask("fingerprint()") == before
        sheet.wait(lambda: not point("canvas()"))
        sheet.wait(lambda: sheet.ask("overlays()") == 0)
        assert sheet.ask("fingerprint()") == before
    finally:
        sheet.krita.run("panel()._actions.set_field('variants', 1)")


@pytest.mark.exhaustive
def test_the_canvas_is_seen_through_a_preview_where_the_brush_is(sheet: Desk) -> None:
    paper = "colour_at(*spot(120, 120))"
    sheet.krita.run("block(200, 200, 100)")
    sheet.krita.run("Krita.instance().activeWindow().activeView().setBrushSize(20)")
    sheet.wait(lambda: sheet.ask("settled()") and sheet.ask(paper) == [255, 255, 255])
    switch(sheet, True)
    sheet.wait(lambda: sheet.ask("overlay() is not None") and sheet.ask(paper) != [255, 255, 255])

    def aim(across: int) -> bool:
        """Move the pointer beside the paper that is looked at; whether it is seen."""
        x, y = sheet.ask("spot(120, 120)")
        sheet.screen.do("xdotool", "mousemove", str(x + across), str(y))
        return sheet.ask(paper) == [255, 255, 255]

    sheet.wait(lambda: aim(6))
    assert sheet.ask("overlay() is not None")
    sheet.wait(lambda: not aim(250))


def test_it_ends_with_its_document(sheet: Desk) -> None:
    switch(sheet, True)
    sheet.wait(lambda: sheet.ask("overlay() is not None"))
    sheet.krita.run("close_documents()")
    sheet.wait(lambda: sheet.ask("overlays()") == 0)


@pytest.mark.parametrize(
    "look", [(1.0, 0.0, False), (1.5, 0.0, True), (0.75, 30.0, False), (1.25, 200.0, True)]
)
def test_a_pixel_is_where_the_overlay_takes_it_to_be(
    sheet: Desk, look: tuple[float, float, bool]
) -> None:
    sheet.krita.run(f"block(280, 200, 80)\nturn_canvas{look}")
    sheet.wait(lambda: sheet.ask("settled()"))
    inside, outside = [(284, 204), (355, 275), (320, 240)], [(274, 240), (366, 240), (320, 194)]

    def seen(places: list[tuple[int, int]]) -> list[int]:
        return [max(sheet.ask(f"colour_at(*spot{place})")) for place in places]

    sheet.wait(lambda: max(seen(inside)) < 40 and min(seen(outside)) > 200)
