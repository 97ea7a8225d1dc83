"""Results that come while the painter is in the middle of something: nothing of that is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.editors.krita.desk import Desk

pytestmark = pytest.mark.slow

_LETTERS = """
letters = document.createVectorLayer("letters")
document.rootNode().addChildNode(letters, None)
document.setActiveNode(letters)
Krita.instance().action("SvgTextTool").trigger()
"""
_CLOSE_EDITOR = """
for each in QtWidgets.QApplication.topLevelWidgets():
    if each.metaObject().className() == "SvgTextEditor":
        each.close()
"""


@pytest.fixture
def sheet(desk: Desk) -> Iterator[Desk]:
    """A fresh document with the brush in hand."""
    desk.fresh()
    yield desk
    desk.krita.run("Krita.instance().action('KritaShape/KisToolBrush').trigger()")
    desk.fresh()


def test_a_transformation_goes_on_and_the_result_waits_for_it(sheet: Desk) -> None:
    sheet.press_brush()
    sheet.screen.do("xdotool", "mousemove_relative", "120", "10", "mouseup", "1")
    sheet.wait(lambda: sheet.ask("settled()"))
    before = sheet.ask("picture_of('Background')")
    sheet.on_canvas("ctrl+t")
    drag(sheet, (0, 0), (60, 30))
    sheet.wait(lambda: not sheet.ask("settled()"))
    waits_for_the_hand(sheet)
    assert sheet.names() == ["Background"] and not sheet.ask("settled()"), "it is open"
    sheet.on_canvas("Return")
    sheet.wait(lambda: len(sheet.names()) == 2)
    sheet.wait(lambda: sheet.ask("settled()"))
    assert sheet.ask("picture_of('Background')") != before, "it was carried out"
    assert sheet.ask("document.activeNode().name()") == "Background"


def test_an_open_filter_dialog_stays_open(sheet: Desk) -> None:
    sheet.krita.run(
        "QtCore.QTimer.singleShot(0, Krita.instance().action('krita_filter_blur').trigger)"
    )
    dialog = sheet.screen.wait_for_window("Filter: Blur")
    waits_for_the_hand(sheet)
    assert sheet.names() == ["Background"] and sheet.screen.windows("Filter: Blur")
    sheet.screen.focus(dialog)
    sheet.screen.key("Escape")
    sheet.wait(lambda: len(sheet.names()) == 2)


def test_nothing_comes_in_while_a_text_is_typed(sheet: Desk) -> None:
    busy = "panel()._studio.editor.busy('')"
    sheet.krita.run(_LETTERS)
    sheet.wait(lambda: sheet.ask("document.activeNode().name()") == "letters")
    sheet.wait(lambda: sheet.ask("settled()") and not sheet.ask(busy))
    sheet.wait(lambda: sheet.ask("takes_keys()"))
    drag(sheet, (-100, -60), (100, 40))
    sheet.wait(lambda: sheet.ask("len(node('letters').shapes())") == 1)
    sheet.wait(lambda: sheet.ask(busy))
    sheet.krita.run(_CLOSE_EDITOR)  # Krita 5.2 has a window for it.
    sheet.click("panel().prompts.text")
    sheet.wait(lambda: not sheet.ask(busy))


def test_the_name_of_a_layer_is_typed_to_its_end(sheet: Desk) -> None:
    sheet.write("a red apple")
    sheet.on_canvas("F2")
    typing = "QtWidgets.QApplication.focusWidget().inherits('QLineEdit')"
    sheet.wait(lambda: sheet.ask(typing))
    sheet.screen.key("ctrl+a")
    sheet.screen.type("hel")
    sheet.krita.run("panel()._actions.generate()")
    sheet.wait(lambda: sheet.view()["button"] == "Insert now")
    assert sheet.names() == ["Background"] and sheet.ask(typing)
    sheet.screen.type("lo")
    sheet.screen.key("Return")
    sheet.wait(lambda: sheet.names() == ["red apple", "hello"])


def waits_for_the_hand(desk: Desk) -> None:
    """A layer is asked for and painted, but does not come in."""
    desk.write("a red apple")
    desk.generate()
    desk.wait(lambda: desk.view()["button"] == "Insert now")


def drag(desk: Desk, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Drag on the canvas; places from its middle."""
    x, y = desk.ask("place(canvas())")
    words = ["mousemove", str(x + start[0]), str(y + start[1]), "sleep", "0.3", "mousedown", "1"]
    for part in range(1, 6):
        across, down = (a + (b - a) * part // 5 for a, b in zip(start, end, strict=True))
        words += ["mousemove", str(x + across), str(y + down), "sleep", "0.1"]
    desk.screen.do("xdotool", *words, "mouseup", "1")
