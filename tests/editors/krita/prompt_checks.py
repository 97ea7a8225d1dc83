"""What the keys do in the prompt and beside it, in either Qt, without a screen."""

from __future__ import annotations

from dataclasses import replace

from acetate_bridge.panel.view import Button, PanelView, Status, Thumbnail
from acetate_bridge.protocol.types import Image
from acetate_krita.qt import Qt
from tests.editors.krita.qt_hands import overrides, press, shown, turn

VIEW = PanelView(mode="text", prompt="a paper lantern", can_generate=True)
WITH_HISTORY = replace(VIEW, history=(Thumbnail(Image(1, 1, bytes(4)), "old"),))


def check_ctrl_z_right_after_ctrl_enter_is_left_to_the_document() -> None:
    panel, _told = shown(VIEW)
    press(panel.prompts.text, Qt.Key.Key_Return, control=True)
    assert not overrides(panel.prompts.text), "it goes on to Krita's shortcut"
    panel.prompts.text.insertPlainText("and a fox")
    assert overrides(panel.prompts.text), "what was typed since is undone first"


def check_ctrl_z_after_a_click_on_the_history_brings_the_typed_prompt_back() -> None:
    panel, told = shown(WITH_HISTORY)
    panel.prompts.text.setPlainText("")
    press(panel.prompts.text, Qt.Key.Key_Return, control=True)
    panel.prompts.text.insertPlainText("typed by hand")
    panel.draw(replace(WITH_HISTORY, prompt="typed by hand"))
    for widget in (panel.prompts.text, panel.history.buttons[0]):
        panel.activateWindow()
        widget.setFocus()
        turn()
        panel.draw(replace(WITH_HISTORY, prompt="from the history"))
        assert overrides(widget), "nothing of it comes to the document"
        told.calls.clear()
        press(widget, Qt.Key.Key_Z, control=True)
        assert panel.prompts.text.toPlainText() == "typed by hand"
        assert told.calls == [("set_prompt", "typed by hand")], told.calls
    assert not overrides(panel.history.buttons[0]), "what is undone next is the document's"


def check_ctrl_z_brings_back_what_gave_way_in_another_mode() -> None:
    panel, told = shown(WITH_HISTORY)
    panel.activateWindow()
    panel.history.buttons[0].setFocus()
    turn()
    offer = Status("It has given way.", "notice", Button("Bring it back", "bring_back"))
    panel.draw(replace(WITH_HISTORY, mode="joint", prompt="from the history", status=offer))
    told.calls.clear()
    press(panel.history.buttons[0], Qt.Key.Key_Z, control=True)
    assert told.calls == [("press_status_button",)], told.calls


def check_ctrl_z_after_something_was_painted_from_the_history_is_the_documents() -> None:
    panel, _told = shown(WITH_HISTORY)
    panel.draw(replace(WITH_HISTORY, prompt="from the history"))
    press(panel.prompts.text, Qt.Key.Key_Return, control=True)
    assert not overrides(panel.prompts.text)
    panel.button.setFocus()
    assert not overrides(panel.button)
