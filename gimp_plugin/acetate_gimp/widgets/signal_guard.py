"""Telling a painter's change of a widget from our own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from gi.repository import Gtk


class Updating:
    """While `now`, widgets are being set to what is known, and their signals say nothing."""

    def __init__(self) -> None:
        self.now = False

    @contextlib.contextmanager
    def going_on(self) -> Iterator[None]:
        """Widgets are set inside."""
        before, self.now = self.now, True
        try:
            yield
        finally:
            self.now = before

    def guard(self, action: Callable[..., None]) -> Callable[..., None]:
        """The same action, for the painter's own changes alone."""

        def guarded(*values: Any) -> None:
            if not self.now:
                action(*values)

        return guarded


def changed(widget: Gtk.SpinButton | Gtk.Scale, value: float) -> None:
    """Set a number that differs."""
    if widget.get_value() != value:
        widget.set_value(value)


def entry_text(entry: Gtk.Entry, text: str) -> None:
    """Set a text that differs: setting the same one would move the cursor."""
    if entry.get_text() != text:
        entry.set_text(text)


def choose(box: Gtk.ComboBoxText, name: str) -> None:
    """Choose an entry by its id."""
    if box.get_active_id() != name:
        box.set_active_id(name)
