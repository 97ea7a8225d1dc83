"""Names offered while a prompt is written: see `panel_checks`, which runs it."""

from __future__ import annotations

from acetate_bridge.panel.completion import Completion
from acetate_bridge.panel.view import PanelView
from acetate_krita.qt import Qt
from tests.editors.krita.qt_hands import press, shown, turn


def check_a_name_is_completed_by_keys_that_the_document_does_not_hear() -> None:
    panel, told = shown(PanelView(can_generate=True))
    text, names = panel.prompts.text, panel.prompts.completer
    ink, wash = (Completion(name, f"<lora:{name}:1>", 2, 5) for name in ("ink", "wash"))
    told.names = (ink, wash)
    text.setFocus()
    turn()
    text.insertPlainText("🦊 <in")
    # Qt counts the fox twice, the names count it once.
    assert names.open and [names.list.item(i).text() for i in range(2)] == ["ink", "wash"]
    told.calls.clear()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Tab):
        press(text, key)
    assert text.toPlainText() == "🦊 <lora:wash:1>" and not names.open
    assert told.calls == [("set_prompt", "🦊 <lora:wash:1>")]
    text.undo()
    assert text.toPlainText() == "🦊 <in"


def check_escape_closes_the_names_before_it_cancels_a_job() -> None:
    panel, told = shown(PanelView(running=True))
    told.names = (Completion("ink", "<lora:ink:1>", 0, 3),)
    panel.prompts.text.setFocus()
    turn()
    panel.prompts.text.insertPlainText("<in")
    assert panel.prompts.completer.open
    told.calls.clear()
    press(panel.prompts.text, Qt.Key.Key_Escape)
    assert not panel.prompts.completer.open and told.calls == []
    press(panel.prompts.text, Qt.Key.Key_Escape)
    assert told.calls == [("cancel",)]
