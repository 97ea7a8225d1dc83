"""Runs inside GIMP: what guides a painting, under hands: see `widget_checks`, which runs it."""

# pyright: reportMissingImports=false
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

from acetate_bridge.panel.view import Choice, FieldView, ListView  # noqa: E402

if TYPE_CHECKING:
    from tests.editors.gimp.widget_checks import Bench

_NARROW = 250
ENTRY = {
    "layer": FieldView("one", choices=(Choice("one", "pencil sketch of a very long name"),)),
    "kind": FieldView("scribble", choices=(Choice("scribble", "Sketch"), Choice("pose", "Pose"))),
    "strength": FieldView(1.0),
    "end": FieldView(1.0),
    "name": FieldView("pencil sketch"),
}
STYLE = {"style": FieldView("ink", choices=(Choice("ink", "ink"),)), "weight": FieldView(0.8)}
LISTS = {
    "follow": ListView((ENTRY, ENTRY)),
    "styles": ListView((STYLE,)),
    "then": ListView(({"words": FieldView("a boat")},)),
}


def check_guides_are_folded_away_and_their_entries_are_told(bench: Bench) -> None:
    guides = bench.panel.guides
    assert not guides.get_expanded()
    left_out = FieldView(False)
    bench.draw(replace(bench.view, guides_open=True, lists=LISTS, left_out=left_out))
    assert guides.get_expanded() and bench.heard == [], bench.heard
    follow, styles = guides.lists["follow"], guides.lists["styles"]
    assert len(follow.forms) == 2
    follow.removes[0].clicked()
    follow.more.clicked()
    (weight,) = [each for each in _inside(styles.forms[0]) if isinstance(each, Gtk.SpinButton)]
    weight.set_value(1.5)
    guides.left_out.clicked()
    guides.name.set_text("Storybook")
    guides.save.clicked()
    assert bench.heard == [
        ("remove_entry", "follow", 0),
        ("add_entry", "follow"),
        ("set_cell", "styles", 0, "weight", 1.5),
        ("leave_out", True),
        ("save_preset", "Storybook"),
    ], bench.heard
    assert not guides.name.get_text()
    least, _ = bench.panel.get_preferred_width()
    assert least <= _NARROW, least
    empty = {**LISTS, "follow": ListView()}
    bench.draw(replace(bench.view, guides_open=False, lists=empty))
    assert not follow.forms and not guides.get_expanded()


def _inside(widget: Gtk.Widget) -> list[Gtk.Widget]:
    found = [widget]
    if isinstance(widget, Gtk.Container):
        widget.forall(lambda child: found.extend(_inside(child)))
    return found


CHECKS = {name: check for name, check in list(globals().items()) if name.startswith("check_")}
