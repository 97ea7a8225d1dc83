"""What guides a painting, in the docker under hands: see `panel_checks`, which runs it."""

from __future__ import annotations

from dataclasses import replace

from acetate_bridge.panel.lists import LISTS
from acetate_bridge.panel.view import Choice, FieldView, ListView, PanelView
from acetate_krita.qt import Qt, QtWidgets
from tests.editors.krita.qt_hands import press, shown, turn

ENTRY = {
    "layer": FieldView("one", choices=(Choice("one", "pencil sketch of a very long name"),)),
    "kind": FieldView("scribble", choices=(Choice("scribble", "Sketch"), Choice("pose", "Pose"))),
    "strength": FieldView(1.0),
    "end": FieldView(1.0),
    "name": FieldView("pencil sketch"),
}
STYLE = {"style": FieldView("ink", choices=(Choice("ink", "ink"),)), "weight": FieldView(0.8)}
VIEW = PanelView(
    guides_open=True,
    lists={
        "follow": ListView((ENTRY, ENTRY)),
        "styles": ListView((STYLE,)),
        "then": ListView(({"words": FieldView("a boat")},)),
    },
    left_out=FieldView(False),
    left_out_words="Not seen: “lettering”.",
)


def check_guides_are_folded_away_until_they_are_wanted() -> None:
    panel, told = shown(PanelView())
    assert not panel.guides.inner.isVisible() and panel.guides.fold.isVisible()
    panel.guides.fold.click()
    assert told.calls == [("set_guides_open", True)], told.calls


def check_entries_of_a_list_are_drawn_told_and_removed() -> None:
    panel, told = shown(VIEW)
    assert told.calls == [], told.calls
    follow = panel.guides.lists["follow"]
    assert len(follow.forms) == 2 and not follow.forms[0].inputs.get("name")
    follow.forms[1].inputs["strength"].setValue(40)
    follow.removes[0].click()
    follow.more.click()
    panel.guides.lists["styles"].forms[0].inputs["weight"].setValue(1.5)
    panel.guides.left_out.click()
    assert told.calls == [
        ("set_cell", "follow", 1, "strength", 0.4),
        ("remove_entry", "follow", 0),
        ("add_entry", "follow"),
        ("set_cell", "styles", 0, "weight", 1.5),
        ("leave_out", True),
    ], told.calls
    panel.draw(replace(VIEW, lists={**VIEW.lists, "follow": ListView()}))
    turn()
    assert not follow.forms and follow.more.isEnabled()


def check_a_preset_is_kept_under_the_name_that_was_typed() -> None:
    panel, told = shown(VIEW)
    panel.guides.name.setText("Storybook")
    panel.guides.save.click()
    assert told.calls == [("save_preset", "Storybook")] and not panel.guides.name.text()
    press(panel.guides.form.inputs["frame"], Qt.Key.Key_Escape)


def check_open_guides_ask_for_no_more_width_than_a_docker_has() -> None:
    panel, _ = shown(VIEW)
    panel.resize(250, 1100)
    turn()
    assert panel.minimumSizeHint().width() <= 250
    scrolled = panel.findChild(QtWidgets.QScrollArea)
    assert panel.guides.width() <= scrolled.viewport().width()


def check_every_list_of_the_table_has_its_place() -> None:
    panel, _ = shown(VIEW)
    assert {*panel.guides.lists, "then"} == set(LISTS)
    assert panel.then.isVisible() and panel.then.forms[0].inputs["words"].text() == "a boat"
