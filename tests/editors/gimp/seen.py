"""Runs inside the process of the panel: where its widgets are on the screen, and what they show."""

# pyright: reportMissingImports=false
from __future__ import annotations

from typing import Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402


def window() -> Any:
    """The window of the panel."""
    return next(each for each in Gtk.Window.list_toplevels() if hasattr(each, "panel"))


def panel() -> Any:
    """The panel in it."""
    return window().panel


def place(widget: Gtk.Widget) -> list[int]:
    """The middle of a widget on the screen."""
    top = widget.get_toplevel()
    _, left, up = top.get_window().get_origin()
    wide, high = widget.get_allocated_width(), widget.get_allocated_height()
    x, y = widget.translate_coordinates(top, wide // 2, high // 2)
    return [left + x, up + y]


def _scrolled() -> Gtk.ScrolledWindow:
    return next(each for each in panel().get_children() if isinstance(each, Gtk.ScrolledWindow))


def bar() -> list[int]:
    """A place at the right edge of what is scrolled, where a wheel turns nothing else."""
    scrolled = _scrolled()
    x, y = place(scrolled)
    return [x + scrolled.get_allocated_width() // 2 - 3, y]


def astray(widget: Gtk.Widget) -> int:
    """Whether a widget lies above (-1) or below (1) what is seen of the panel; 0: it is seen."""
    scrolled = _scrolled()
    if not widget.is_ancestor(scrolled):
        return 0
    high = widget.get_allocated_height()
    _, y = widget.translate_coordinates(scrolled, 0, 0)
    return -1 if y < 0 else int(y + high > scrolled.get_allocated_height())


def _menu(box: Gtk.ComboBox) -> Gtk.Menu | None:
    return next((each for each in Gtk.Menu.get_for_attach_widget(box)), None)


def is_open(box: Gtk.ComboBox) -> bool:
    """Whether the list of a menu is unfolded."""
    menu = _menu(box)
    return menu is not None and menu.get_mapped()


def entry(box: Gtk.ComboBox, name: str) -> list[int]:
    """Where an entry of an unfolded menu is on the screen."""
    menu = _menu(box)
    assert menu is not None
    rows = [row[1] for row in box.get_model()]
    return place(menu.get_children()[rows.index(name)])


def entries(name: str) -> list[dict[str, Any]]:
    """What stands in a list of the panel."""
    found = window().controller.view.lists[name].entries
    return [{column: each[column].value for column in each} for each in found]


def view() -> dict[str, Any]:
    """What the panel shows."""
    found = window().controller.view
    return {
        "status": found.status.sentence,
        "can_generate": found.can_generate,
        "why_not": found.why_not,
        "running": found.running,
        "prompt": found.prompt,
    }


def thumbnail(index: int) -> Gtk.Widget:
    """A picture of the history."""
    found: Any = panel().history
    while not isinstance(found, Gtk.Box):
        found = found.get_child()
    return found.get_children()[index]


def active() -> str:
    """The layer that the panel takes for the active one."""
    layer = window().controller.known.situation.layer
    return layer.name if layer is not None else ""
